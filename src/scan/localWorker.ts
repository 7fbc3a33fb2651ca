import type { PoolWorker } from './pool.ts';
import type { Assignment, WorkerData } from './protocol.ts';
import { spareOptimizer } from './thread.ts';
import type { LocalScan, ScanWorker } from './worker.ts';

/**
 * A worker in this thread, which begins sooner than a thread starts. Where it takes no turns, nothing else
 * runs while it is at a piece of work, timers neither, so it looks itself whether its time is over.
 */
export class LocalWorker implements PoolWorker {
  readonly threadId = 0;
  readonly #local: LocalScan;
  readonly #listeners = new Map<string, (told: never) => void>();
  #data: WorkerData | null = null;
  #worker: ScanWorker | null = null;

  constructor(local: LocalScan) {
    this.#local = local;
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
    if (data.spareOptimizer && data.threads === 0) spareOptimizer(true);
    return new worker.ScanWorker(data, (answer) => this.#tell('message', answer), this.#local);
  }

  #die(error: unknown): void {
    this.#tell('error', error);
    this.#tell('exit', 0);
  }

  #tell(event: string, told: unknown): void {
    try {
      this.#listeners.get(event)?.(told as never);
    } catch (error) {
      // a fault of who listens is none of this worker's: as between threads, nobody catches it
      setImmediate(() => {
        throw error;
      });
    }
  }
}
