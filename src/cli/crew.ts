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

  /** Starts the threads at once where one of the arguments is surely worth them: they load while this thread does. */
  expect(targets: readonly string[]): void {
    if (this.#jobs > 1 && targets.some(isLarge)) this.#start();
  }

  /** Who scans these targets. */
  for(targets: readonly Resolved[]): readonly PoolWorker[] {
    // this thread must not be kept waiting by who writes what it reads
    if (targets.some(mayWait)) return [...this.#start(), ...startWorkers(1)];
    const local = new LocalWorker({ turns: new MainTurns() });
    return this.#threads === null && areSmall(targets) ? [local] : [local, ...this.#start()];
  }

  #start(): readonly Worker[] {
    return (this.#threads ??= startWorkers(this.#jobs - 1));
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
