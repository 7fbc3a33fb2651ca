import type { Worker } from 'node:worker_threads';
import { NarScanError } from '../../model/errors.ts';
import { startThread } from '../../scan/thread.ts';
import type { Growth } from '../intake/growth.ts';
import type { InspectionData, Job, JobResults, Outcome } from './jobs.ts';
import { Pressure } from './pressure.ts';
import { InspectionQueue, type Queued, UploadPace } from './queue.ts';

/** A thread, and what it is at. */
interface Slot {
  readonly worker: Worker;
  readonly isForSmall: boolean;
  queued: Queued | null;
}

type ResultOf<T extends Job> = JobResults[T['kind']];

/**
 * Hands jobs to threads: a bounded number that take anything, and one more that takes only what is small. They start
 * when they are needed, and stay.
 */
export class InspectionScheduler {
  readonly #scans: number;
  readonly #data: InspectionData;
  readonly #pressure: Pressure;
  readonly #queue = new InspectionQueue();
  readonly #slots: Slot[] = [];
  #isClosed = false;

  constructor(scans: number, data: Omit<InspectionData, 'pressure'>) {
    this.#scans = scans;
    this.#pressure = new Pressure();
    this.#data = { ...data, pressure: this.#pressure.shared };
  }

  get load(): { readonly running: number; readonly waiting: number } {
    const running = this.#slots.filter(({ queued }) => queued !== null).length;
    return { running, waiting: this.#queue.length };
  }

  /**
   * @param growth of the job's file, while it is written
   * @param size bytes that it will have, if known
   * @throws NarScanError SCAN_FAILED, INTERRUPTED, UPLOAD_TRUNCATED where the upload does not come to its end, and what
   *   the job itself throws
   */
  async run<T extends Job>(job: T, growth: Growth | null, size: number | null): Promise<ResultOf<T>> {
    if (this.#isClosed) throw interrupted();
    const { promise, resolve, reject } = Promise.withResolvers<ResultOf<T>>();
    const pace = new UploadPace(performance.now());
    const queued: Queued = { job, growth, size, pace, hasGivenUp: false, resolve, reject };
    this.#queue.add(queued);
    const forget = growth?.onChange(() => this.#grown(queued, growth));
    if (growth !== null) this.#grown(queued, growth);
    this.#dispatch();
    try {
      return await promise;
    } finally {
      forget?.();
    }
  }

  /** Ends all threads; what was not inspected is interrupted. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const { reject } of this.#queue.clear()) reject(interrupted());
    const slots = this.#slots.splice(0);
    for (const { queued } of slots) queued?.reject(interrupted());
    await Promise.all(slots.map(async ({ worker }) => await worker.terminate()));
  }

  /** An upload has gone on: it may be followed now, or will never come. One that runs sees that itself. */
  #grown(queued: Queued, { state }: Growth): void {
    if (this.#slots.some((slot) => slot.queued === queued)) return;
    if (state === 'failed') {
      this.#queue.remove(queued);
      queued.reject(new NarScanError('UPLOAD_TRUNCATED', 'the upload broke off'));
    }
    if (state !== 'growing' || this.#hasRoom(false)) this.#dispatch();
  }

  #dispatch(): void {
    if (this.#isClosed) return;
    const now = performance.now();
    while (this.#hasRoom(false)) {
      const queued = this.#queue.take(now);
      if (queued === null) break;
      this.#hand(queued, false);
    }
    if (this.#hasRoom(true)) {
      const queued = this.#queue.takeSmall();
      if (queued !== null) this.#hand(queued, true);
    }
    this.#pressure.isOn = this.#queue.isPressing;
  }

  /** Whether a thread of this kind is idle, or may be started. */
  #hasRoom(isForSmall: boolean): boolean {
    const busy = this.#slots.filter((slot) => slot.isForSmall === isForSmall && slot.queued !== null).length;
    return busy < (isForSmall ? 1 : this.#scans);
  }

  #hand(queued: Queued, isForSmall: boolean): void {
    const idle = this.#slots.find((slot) => slot.isForSmall === isForSmall && slot.queued === null);
    const slot = idle ?? this.#employ(isForSmall);
    slot.queued = queued;
    slot.worker.postMessage(queued.job);
  }

  #employ(isForSmall: boolean): Slot {
    const worker = startThread('./inspectionThread.ts', import.meta.url, this.#data);
    const slot: Slot = { worker, isForSmall, queued: null };
    this.#slots.push(slot);
    let reason = 'it ended by itself';
    worker.on('message', (outcome: Outcome) => this.#settle(slot, outcome));
    worker.on('error', (error) => (reason = error.message));
    worker.on('exit', () => this.#gone(slot, reason));
    return slot;
  }

  #settle(slot: Slot, outcome: Outcome): void {
    const { queued } = slot;
    slot.queued = null;
    if (queued === null || this.#isClosed) return;
    if (outcome.kind === 'done') {
      queued.resolve(outcome.result as never);
    } else if (outcome.kind === 'failed') {
      // before the next job is handed out
      if (outcome.isFault) this.#dismiss(slot);
      queued.reject(new NarScanError(outcome.code, outcome.message));
    } else {
      queued.hasGivenUp = true;
      this.#queue.add(queued);
      if (queued.growth !== null) this.#grown(queued, queued.growth);
    }
    this.#dispatch();
  }

  #dismiss(slot: Slot): void {
    this.#slots.splice(this.#slots.indexOf(slot), 1);
    void slot.worker.terminate();
  }

  /** A thread that ends takes its job with it: that must never look like success. */
  #gone(slot: Slot, reason: string): void {
    const at = this.#slots.indexOf(slot);
    if (at < 0) return;
    this.#slots.splice(at, 1);
    slot.queued?.reject(new NarScanError('SCAN_FAILED', `a thread died: ${reason}`));
    this.#dispatch();
  }
}

function interrupted(): NarScanError {
  return new NarScanError('INTERRUPTED', 'the server is being stopped');
}
