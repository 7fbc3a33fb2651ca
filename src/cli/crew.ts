import { statSync } from 'node:fs';
import type { Worker } from 'node:worker_threads';
import { fsPath } from '../model/bytes.ts';
import { LIMITS } from '../model/limits.ts';
import type { PoolWorker } from '../scan/pool.ts';
import type { Resolved } from '../scan/targets.ts';
import { startWorkers } from '../scan/thread.ts';
import { sniffNarFile } from '../sources/narHead.ts';

/** A directory that has so many others in it holds more than one thread should scan. */
const MANY_LINKS = 16;
/** What one worker searches about as fast as another thread starts. */
const SHARE_BYTES = 64 * 1024 * 1024;
/** Of thousands of arguments the first tell enough. */
const LOOKED_AT = 16;

/**
 * Who scans for the command line: this thread, which can begin long before another is there, and others. They are
 * started before the modules that scan are loaded here, so this one imports none of them.
 */
export class Crew {
  readonly #jobs: number;
  readonly #shares: boolean;
  #threads: readonly Worker[] = [];
  /** Workers besides one for each stream, for NARs that are shared. */
  #sharers = 0;

  /**
   * @param jobs how many scan at the same time
   * @param shares whether several may scan one NAR
   */
  constructor(jobs: number, shares: boolean) {
    this.#jobs = jobs;
    this.#shares = shares;
  }

  /** Starts at once what the arguments are surely worth: threads load while this one does. */
  expect(targets: readonly string[]): void {
    if (this.#jobs === 1) return;
    for (const target of targets.slice(0, LOOKED_AT))
      this.#start(Math.min(this.#worth(target), this.#jobs - 1));
  }

  /**
   * Who scans these targets, of which {@link expect} has heard.
   * @param worker makes one of this thread
   */
  for(targets: readonly Resolved[], worker: () => PoolWorker): readonly PoolWorker[] {
    // this thread must not be kept waiting by who writes what it reads
    if (targets.some(mayWait)) return [...this.#start(this.#jobs - 1), ...startWorkers(1)];
    const local = worker();
    if (this.#threads.length === 0 && areSmall(targets)) return [local];
    // a stream is one worker's, but for contents of a NAR that are shared
    const most = targets.every(({ kind }) => kind === 'nar') ? targets.length + this.#sharers : Infinity;
    return [local, ...this.#start(Math.min(this.#jobs, most) - 1)];
  }

  /** How many threads an argument is surely worth. What is wrong with it says whoever scans it. */
  #worth(target: string): number {
    try {
      const stats = statSync(target);
      if (stats.isDirectory()) return stats.nlink >= MANY_LINKS ? Infinity : 0;
      if (!this.#shares || !stats.isFile() || stats.size < SHARE_BYTES) return 0;
      const sharers = sniffNarFile(target) === 'nar' ? Math.floor(stats.size / SHARE_BYTES) : 0;
      this.#sharers += sharers;
      return sharers;
    } catch {
      return 0;
    }
  }

  /** The threads, `count` at least. */
  #start(count: number): readonly Worker[] {
    const more = count - this.#threads.length;
    if (more > 0) this.#threads = [...this.#threads, ...startWorkers(more)];
    return this.#threads;
  }
}

/** Whether all of them are scanned about as fast as a thread starts, as far as that is known before. */
function areSmall(targets: readonly Resolved[]): boolean {
  const bytes = targets.reduce((sum, { info }) => sum + (info?.narSize ?? Infinity), 0);
  return bytes <= LIMITS.threadlessBytes;
}

/** Whether it is a stream that is no file, as far as that can be told. */
function mayWait({ kind, path }: Resolved): boolean {
  if (kind !== 'nar') return false;
  try {
    return path === null || !statSync(fsPath(path)).isFile();
  } catch {
    return true;
  }
}
