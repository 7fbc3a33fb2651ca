import { closeSync, constants, openSync, readSync, statSync } from 'node:fs';
import type { Worker } from 'node:worker_threads';
import { sniffNar, SNIFF_BYTES } from '../formats/nar/sniff.ts';
import { fsPath } from '../model/bytes.ts';
import { LIMITS } from '../model/limits.ts';
import { LocalWorker } from '../scan/localWorker.ts';
import type { PoolWorker } from '../scan/pool.ts';
import type { Resolved } from '../scan/targets.ts';
import { startWorkers } from '../scan/thread.ts';
import { MainTurns } from '../scan/turns.ts';

/** A directory that has so many others in it holds more than one thread should scan. */
const MANY_LINKS = 16;
/** What one worker searches about as fast as another thread starts. */
const SHARE_BYTES = 64 * 1024 * 1024;

/** Who scans for the command line: this thread, which can begin long before another is there, and others. */
export class Crew {
  readonly #jobs: number;
  readonly #shares: boolean;
  #threads: readonly Worker[] = [];

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
    if (targets.some(isLarge)) this.#start(this.#jobs - 1);
    else for (const target of targets) this.#start(this.#sharers(target));
  }

  /** Who scans these targets. */
  for(targets: readonly Resolved[]): readonly PoolWorker[] {
    // this thread must not be kept waiting by who writes what it reads
    if (targets.some(mayWait)) return [...this.#start(this.#jobs - 1), ...startWorkers(1)];
    const local = new LocalWorker({ turns: new MainTurns() });
    if (this.#threads.length === 0 && areSmall(targets)) return [local];
    // a stream is one worker's
    const most = targets.every(({ kind }) => kind === 'nar')
      ? targets.reduce((sum, { path }) => sum + this.#sharers(fsPath(path ?? '')), targets.length)
      : Infinity;
    return [local, ...this.#start(Math.min(this.#jobs, most) - 1)];
  }

  /** How many more workers a file is worth because it is a NAR that they share. */
  #sharers(path: string | Buffer): number {
    return this.#shares ? Math.min(Math.floor(narBytes(path) / SHARE_BYTES), this.#jobs - 1) : 0;
  }

  /** The threads, `count` at least. */
  #start(count: number): readonly Worker[] {
    const more = count - this.#threads.length;
    if (more > 0) this.#threads = [...this.#threads, ...startWorkers(more)];
    return this.#threads;
  }
}

/** Bytes of a file that is a NAR as it is; 0 of all else. */
function narBytes(path: string | Buffer): number {
  try {
    const stats = statSync(path);
    if (!stats.isFile() || stats.size < SHARE_BYTES) return 0;
    const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const head = Buffer.alloc(SNIFF_BYTES);
      return sniffNar(head.subarray(0, readSync(fd, head))) === 'nar' ? stats.size : 0;
    } finally {
      closeSync(fd);
    }
  } catch {
    // whoever scans it says what is wrong with it
    return 0;
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
