import { NarScanError } from '../../model/errors.ts';

const SIGNALS = ['SIGHUP', 'SIGINT', 'SIGTERM'] as const;

/** When a hook must have ended: its deadline, or a signal. */
export class Deadline {
  readonly #controller = new AbortController();
  /** Milliseconds since the process began. */
  #end = Infinity;
  #late: NarScanError | null = null;

  constructor() {
    for (const name of SIGNALS) {
      process.once(name, () => this.#abort(new NarScanError('INTERRUPTED', `interrupted by ${name}`)));
    }
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** @param seconds since the process began */
  set(seconds: number): void {
    this.#end = seconds * 1000;
    this.#late = new NarScanError('GUARD_DEADLINE', `the guard did not end within ${seconds} s`);
    setTimeout(() => this.#abort(this.#late), this.#end - sinceStart()).unref();
  }

  /**
   * To be asked after what may have kept timers from running.
   * @throws NarScanError GUARD_DEADLINE, INTERRUPTED when the time is over
   */
  check(): void {
    if (sinceStart() >= this.#end) this.#abort(this.#late);
    this.signal.throwIfAborted();
  }

  /** Whether the time is over; for whoever keeps timers from running. */
  isOver(): boolean {
    return this.signal.aborted || sinceStart() >= this.#end;
  }

  /** Never resolves; rejects when the time is over. */
  over(): Promise<never> {
    return new Promise((_resolve, reject) => {
      this.signal.addEventListener('abort', () => reject(this.signal.reason as Error), { once: true });
    });
  }

  #abort(reason: NarScanError | null): void {
    this.#controller.abort(reason);
  }
}

/** Milliseconds since the process began; `performance` takes longer to load. */
function sinceStart(): number {
  return process.uptime() * 1000;
}
