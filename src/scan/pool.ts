import {
  Control,
  type Assignment,
  type FromWorker,
  type QueuedWork,
  type Work,
  type WorkerData,
} from './protocol.ts';

/** What the pool tells about the work it was given. */
export interface PoolEvents {
  /** Results of one assignment. */
  done(message: FromWorker & { kind: 'done' }): void;
  /** More work that belongs to these targets exists now, or less: the change for each piece. */
  pending(target: number, change: 1 | -1): void;
  /** A worker died with this work in hand; what it had found is lost. */
  lost(targets: readonly number[], reason: string): void;
}

/** Who does the work, as a pool drives it: a thread, or what stands in for one. */
export interface PoolWorker {
  /** -1 once it has ended. */
  readonly threadId: number;
  on(event: 'message', listener: (message: FromWorker) => void): unknown;
  on(event: 'error', listener: (error: unknown) => void): unknown;
  on(event: 'exit', listener: () => void): unknown;
  postMessage(message: WorkerData | Assignment): void;
  terminate(): unknown;
}

interface Slot {
  readonly worker: PoolWorker;
  assignment: Assignment | null;
}

/** Worker threads and the queue before them. Idle workers are fed by what busy ones give away. */
export class Pool {
  readonly #events: PoolEvents;
  readonly #control: Control;
  readonly #slots: Slot[] = [];
  readonly #queue: QueuedWork[] = [];
  #nextId = 0;
  #closing = false;

  /** @param workers fresh ones, which the pool owns from now on */
  constructor(workers: readonly PoolWorker[], data: WorkerData, events: PoolEvents) {
    this.#events = events;
    this.#control = new Control(data.control);
    for (const worker of workers) this.#employ(worker, data);
  }

  add(queued: QueuedWork): void {
    for (const { target } of queued.work) this.#events.pending(target, 1);
    this.#queue.push(queued);
    if (this.#slots.length === 0) this.#loseQueue('all workers are gone');
    else this.#dispatch();
  }

  /** Ends all threads, without waiting for them; nothing is told any more. */
  close(): void {
    this.#closing = true;
    for (const { worker } of this.#slots) worker.terminate();
  }

  #employ(worker: PoolWorker, data: WorkerData): void {
    // a thread that has already ended has no id
    if (worker.threadId === -1) return;
    const slot: Slot = { worker, assignment: null };
    this.#slots.push(slot);
    let reason = 'ended by itself';
    worker.on('message', (message: FromWorker) => this.#message(slot, message));
    worker.on('error', (error) => (reason = error instanceof Error ? error.message : String(error)));
    worker.on('exit', () => this.#gone(slot, reason));
    worker.postMessage(data);
  }

  #dispatch(): void {
    for (const slot of this.#slots) {
      if (slot.assignment !== null) continue;
      const next = this.#queue.shift();
      if (next === undefined) break;
      slot.assignment = { id: this.#nextId++, ...next };
      slot.worker.postMessage(slot.assignment);
    }
    const idle = this.#slots.filter(({ assignment }) => assignment === null).length;
    this.#control.hungry = Math.max(0, idle - this.#queue.length);
    this.#control.queued = this.#queue.length;
  }

  #message(slot: Slot, message: FromWorker): void {
    const { assignment } = slot;
    if (this.#closing || assignment === null) return;
    if (message.kind === 'donation') {
      const { hashParts, aliases } = assignment;
      this.add({ hashParts, aliases, work: message.work });
      return;
    }
    slot.assignment = null;
    this.#control.heard();
    // first, for what the results are put to takes a while
    this.#dispatch();
    this.#events.done(message);
    this.#settle(assignment);
  }

  #settle({ work }: Assignment): void {
    for (const { target } of work) this.#events.pending(target, -1);
  }

  /** A thread that ends while the pool is open takes its work with it: that must never look like success. */
  #gone(slot: Slot, reason: string): void {
    if (this.#closing) return;
    this.#slots.splice(this.#slots.indexOf(slot), 1);
    if (slot.assignment !== null) {
      this.#lose(slot.assignment.work, reason);
      this.#settle(slot.assignment);
    }
    if (this.#slots.length > 0) this.#dispatch();
    else this.#loseQueue(reason);
  }

  #loseQueue(reason: string): void {
    for (const queued of this.#queue.splice(0)) {
      this.#lose(queued.work, reason);
      for (const { target } of queued.work) this.#events.pending(target, -1);
    }
  }

  #lose(work: readonly Work[], reason: string): void {
    this.#events.lost([...new Set(work.map(({ target }) => target))], reason);
  }
}
