import { LIMITS } from '../../model/limits.ts';
import type { Growth } from '../intake/growth.ts';
import type { Job } from './jobs.ts';

/** Small ones in a row that go before a large one that waits as well. */
const SMALL_IN_A_ROW = 8;
/** So much must have come so quickly of an upload before a thread follows it. */
const FOLLOW_BYTES = 4 * 1024 * 1024;
const FOLLOW_MS = 1000;

/** A job that waits for a thread, or runs. */
export interface Queued {
  readonly job: Job;
  /** While the file is being written; null: it lies there as a whole. */
  readonly growth: Growth | null;
  /** Bytes that the file will have, where they are known. */
  readonly size: number | null;
  readonly pace: UploadPace;
  /** It was followed once, and is begun again only when all has come. */
  hasGivenUp: boolean;
  readonly resolve: (result: never) => void;
  readonly reject: (error: Error) => void;
}

/** Whether an upload comes so quickly that a thread that follows it has something to do. */
export class UploadPace {
  #markedBytes = 0;
  #markedAt: number;

  /** @param now milliseconds of a clock that never goes back */
  constructor(now: number) {
    this.#markedAt = now;
  }

  isQuick(length: number, now: number): boolean {
    if (now - this.#markedAt > FOLLOW_MS) {
      this.#markedAt = now;
      this.#markedBytes = length;
    }
    return length - this.#markedBytes >= FOLLOW_BYTES;
  }
}

/** Jobs that wait for a thread, in the order in which they came. */
export class InspectionQueue {
  #waiting: Queued[] = [];
  #smallInARow = 0;

  get length(): number {
    return this.#waiting.length;
  }

  add(queued: Queued): void {
    this.#waiting.push(queued);
  }

  remove(queued: Queued): void {
    this.#waiting = this.#waiting.filter((other) => other !== queued);
  }

  /** All of them; none is left. */
  clear(): readonly Queued[] {
    return this.#waiting.splice(0);
  }

  /** Whether one waits that lies there as a whole. */
  get isPressing(): boolean {
    return this.#waiting.some(isWhole);
  }

  /** The next one for the thread that is there for what is small. */
  takeSmall(): Queued | null {
    return this.#take(this.#waiting.find((queued) => isWhole(queued) && isSmall(queued)));
  }

  /** The next one for any other thread: small ones first, then what lies there as a whole, then what comes quickly. */
  take(now: number): Queued | null {
    const whole = this.#waiting.filter(isWhole);
    const small = whole.find(isSmall);
    const large = whole.find((queued) => !isSmall(queued));
    if (small !== undefined && (large === undefined || this.#smallInARow < SMALL_IN_A_ROW)) {
      this.#smallInARow = large === undefined ? 0 : this.#smallInARow + 1;
      return this.#take(small);
    }
    this.#smallInARow = 0;
    return this.#take(large ?? this.#waiting.find((queued) => isFollowable(queued, now)));
  }

  #take(queued: Queued | undefined): Queued | null {
    if (queued === undefined) return null;
    this.remove(queued);
    return queued;
  }
}

function isWhole({ growth }: Queued): boolean {
  return growth === null || growth.state === 'complete';
}

function isSmall({ size, growth }: Queued): boolean {
  const bytes = size ?? growth?.length ?? 0;
  return bytes <= LIMITS.smallUploadBytes;
}

function isFollowable({ growth, pace, hasGivenUp, size }: Queued, now: number): boolean {
  if (growth === null || hasGivenUp || growth.state !== 'growing') return false;
  // what is small is there before a thread is any use to it
  if (size !== null && size <= LIMITS.smallUploadBytes) return false;
  return pace.isQuick(growth.length, now);
}
