import { LIMITS } from '../model/limits.ts';
import type { Range, RangeReader } from '../formats/ranges.ts';

/** Chooses, from a binary's head, which ranges behind it are worth keeping as they pass. */
export type Plan = (head: Uint8Array, size: number) => readonly Range[];

/** Memory for one capture after another. */
export interface CaptureMemory {
  readonly head: Buffer;
  readonly tail: Buffer;
}

export function captureMemory(): CaptureMemory {
  return { head: Buffer.alloc(LIMITS.binaryHeadBytes), tail: Buffer.alloc(LIMITS.binaryTailBytes) };
}

/**
 * Keeps of a streamed content what its readers will want at its end: the head, the tail, and the
 * ranges a plan names. The result depends on the bytes only, never on how they were cut.
 */
export class StreamCapture implements RangeReader {
  readonly size: number;
  readonly #plan: Plan;
  readonly #head: Buffer;
  readonly #tail: Buffer;
  readonly #planned: { readonly offset: number; readonly bytes: Buffer }[] = [];
  #seen = 0;
  #planMade = false;

  /** @param memory is used until the next capture begins */
  constructor(size: number, plan: Plan, memory: CaptureMemory) {
    this.size = size;
    this.#plan = plan;
    this.#head = memory.head.subarray(0, size);
    this.#tail = memory.tail.subarray(0, size);
  }

  /** The content's first bytes, as far as they were seen and kept. */
  get head(): Buffer {
    return this.#head.subarray(0, Math.min(this.#seen, this.#head.length));
  }

  /** The next bytes of the content: memory[start, end). */
  feed(memory: Uint8Array, start: number, end: number): void {
    let from = start;
    if (this.#seen < this.#head.length) {
      const part = Math.min(end - from, this.#head.length - this.#seen);
      this.#keep(memory, from, from + part);
      from += part;
    }
    if (this.#seen >= this.#head.length && !this.#planMade) this.#makePlan();
    if (from < end) this.#keep(memory, from, end);
  }

  read(offset: number, length: number): Uint8Array | null {
    if (offset < 0 || length < 0 || offset + length > this.#seen) return null;
    const tailStart = this.size - this.#tail.length;
    for (const kept of [
      { offset: 0, bytes: this.#head },
      { offset: tailStart, bytes: this.#tail },
      ...this.#planned,
    ]) {
      const at = offset - kept.offset;
      if (at >= 0 && at + length <= kept.bytes.length) return kept.bytes.subarray(at, at + length);
    }
    return null;
  }

  #makePlan(): void {
    this.#planMade = true;
    let room: number = LIMITS.binaryTableBytes;
    for (const { offset, length } of this.#plan(this.#head, this.size)) {
      if (length <= 0 || length > room || offset < 0 || offset + length > this.size) continue;
      room -= length;
      const bytes = Buffer.alloc(length);
      this.#planned.push({ offset, bytes });
      // a planned range may begin in the head
      if (offset < this.#head.length)
        this.#head.copy(bytes, 0, offset, Math.min(this.#head.length, offset + length));
    }
  }

  #keep(memory: Uint8Array, start: number, end: number): void {
    const offset = this.#seen;
    copyInto(this.#head, 0, memory, start, end, offset);
    copyInto(this.#tail, this.size - this.#tail.length, memory, start, end, offset);
    for (const kept of this.#planned) copyInto(kept.bytes, kept.offset, memory, start, end, offset);
    this.#seen += end - start;
  }
}

/** Copies what memory[start, end), which lies at `offset` of the content, and the kept range have in common. */
function copyInto(
  kept: Buffer,
  keptOffset: number,
  memory: Uint8Array,
  start: number,
  end: number,
  offset: number,
): void {
  const from = Math.max(offset, keptOffset);
  const to = Math.min(offset + (end - start), keptOffset + kept.length);
  if (from < to) kept.set(memory.subarray(start + from - offset, start + to - offset), from - keptOffset);
}
