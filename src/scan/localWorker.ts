import type { PoolWorker } from './pool.ts';
import type { Assignment, WorkerData } from './protocol.ts';
import type { ScanWorker } from './worker.ts';

/**
 * A worker in this thread, for what is scanned sooner than a thread starts. Nothing else runs while it
 * is at a piece of work, timers neither, so it looks itself whether its time is over.
 */
export class LocalWorker implements PoolWorker {
  readonly threadId = 0;
  readonly #isOver: () => boolean;
  readonly #listeners = new Map<string, (told: never) => void>();
  #data: WorkerData | null = null;
  #worker: ScanWorker | null = null;

  constructor(isOver: () => boolean) {
    this.#isOver = isOver;
  }

  on(event: string, listener: (told: never) => void): void {
    this.#listeners.set(event, listener);
  }

  /** As between threads, what is said arrives after the caller is done. */
  postMessage(message: WorkerData | Assignment): void {
    setImmediate(() => void this.#receive(message).catch((error: unknown) => this.#die(error)));
  }

  terminate(): void {
    this.#listeners.clear();
  }

  async #receive(message: WorkerData | Assignment): Promise<void> {
    if (!('id' in message)) {
      this.#data = message;
    } else if (this.#data !== null) {
      this.#worker ??= await this.#start(this.#data);
      await this.#worker.run(message);
    }
  }

  /** Loaded here: where all is remembered nothing is searched. */
  async #start(data: WorkerData): Promise<ScanWorker> {
    const worker = await import('./worker.ts');
    return new worker.ScanWorker(data, (answer) => this.#tell('message', answer), { isOver: this.#isOver });
  }

  #die(error: unknown): void {
    this.#tell('error', error);
    this.#tell('exit', 0);
  }

  #tell(event: string, told: unknown): void {
    this.#listeners.get(event)?.(told as never);
  }
}
