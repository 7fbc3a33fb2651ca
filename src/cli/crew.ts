import { statSync } from 'node:fs';
import type { Worker } from 'node:worker_threads';
import { fsPath } from '../model/bytes.ts';
import { LIMITS } from '../model/limits.ts';
import { LocalWorker } from '../scan/localWorker.ts';
import type { PoolWorker } from '../scan/pool.ts';
import type { Resolved } from '../scan/targets.ts';
import { startWorkers } from '../scan/thread.ts';
import { MainTurns } from '../scan/turns.ts';

/** A directory that has so many others in it holds more than one thread should scan. */
const MANY_LINKS = 16;

/** Who scans for the command line: this thread, which can begin long before another is there, and others. */
export class Crew {
  readonly #jobs: number;
  #threads: readonly Worker[] | null = null;

  /** @param jobs how many scan at the same time */
  constructor(jobs: number) {
    this.#jobs = jobs;
  }

  /** Starts at once what the arguments are surely worth: threads load while this one does. */
  expect(targets: readonly string[]): void {
    if (this.#jobs > 1 && targets.some(isLarge)) this.#start(this.#jobs - 1);
  }

  /** Who scans these targets. */
  for(targets: readonly Resolved[]): readonly PoolWorker[] {
    // this thread must not be kept waiting by who writes what it reads
    if (targets.some(mayWait)) return [...this.#start(this.#jobs - 1), ...startWorkers(1)];
    const local = new LocalWorker({ turns: new MainTurns() });
    if (this.#threads === null && areSmall(targets)) return [local];
    // a stream is one worker's
    const most = targets.every(({ kind }) => kind === 'nar') ? targets.length : Infinity;
    return [local, ...this.#start(Math.min(this.#jobs, most) - 1)];
  }

  #start(count: number): readonly Worker[] {
    return (this.#threads ??= startWorkers(count));
  }
}

function isLarge(target: string): boolean {
  try {
    const stats = statSync(target);
    return stats.isDirectory() && stats.nlink >= MANY_LINKS;
  } catch {
    return false;
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
