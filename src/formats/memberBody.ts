import { NarScanError } from '../model/errors.ts';
import type { ByteString } from '../model/bytes.ts';
import type { GapReason } from '../model/facts.ts';
import type { Input } from './compression/input.ts';
import type { ContainerFault } from './container.ts';

/** The bytes of one member that stand in the container as they are: to be read once, or to be passed over. */
export class MemberBody implements AsyncIterable<Uint8Array> {
  readonly #input: Input;
  readonly #what: string;
  readonly #check: BodyCheck | null;
  #left: number;
  #state: 'unread' | 'taken' | 'over' = 'unread';

  /**
   * @param input stands at the first byte of the body
   * @param size in bytes
   * @param what the format, for errors
   * @param check is shown each piece that is read, and asked at the end
   */
  constructor(input: Input, size: number, what: string, check: BodyCheck | null = null) {
    this.#input = input;
    this.#left = size;
    this.#what = what;
    this.#check = check;
  }

  /** @throws NarScanError CONTAINER_TRUNCATED, what the source throws, what the check throws */
  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    if (this.#state !== 'unread') throw readTooLate(this.#what);
    this.#state = 'taken';
    const input = this.#input;
    while (this.#left > 0) {
      if (input.available === 0 && !(await input.fill(1))) throw endsEarly(input, this.#what);
      const piece = input.peek(this.#left);
      input.start += piece.length;
      this.#left -= piece.length;
      this.#check?.add(piece);
      yield piece;
      if (this.#overNow()) throw readTooLate(this.#what);
    }
    this.#check?.finish();
  }

  /**
   * Passes over what was not read, and `padding` bytes behind it. Nobody can read the body from then on.
   * @throws NarScanError CONTAINER_TRUNCATED, what the source throws
   */
  async pass(padding: number): Promise<void> {
    this.#state = 'over';
    const input = this.#input;
    const left = this.#left + padding;
    this.#left = 0;
    if (input.available >= left) input.start += left;
    else if (!(await input.skip(left))) throw endsEarly(input, this.#what);
  }

  /** A call, for the state changes while a piece is out. */
  #overNow(): boolean {
    return this.#state === 'over';
  }
}

/** Looks at the bytes of a body while they are read. */
export interface BodyCheck {
  add(piece: Uint8Array): void;
  /** All was read. @throws NarScanError CONTAINER_CORRUPT */
  finish(): void;
}

function readTooLate(what: string): NarScanError {
  return new NarScanError('INTERNAL', `${what} archive: a member was read twice, or after the next one`);
}

/** What to throw where the input has ended too soon: what its source threw, if it did. */
export function endsEarly(input: Input, what: string): Error {
  if (input.failure !== null) return input.failure.error as Error;
  const offset = input.offset + input.available;
  return new NarScanError('CONTAINER_TRUNCATED', `${what} archive ends early, at byte ${offset}`, { offset });
}

/** The archive cannot be read beyond `offset`. */
export function corrupt(what: string, offset: number, detail: string): NarScanError {
  return new NarScanError('CONTAINER_CORRUPT', `${what} archive at byte ${offset}: ${detail}`, { offset });
}

/** Something of the archive needs more than a limit allows. */
export function beyondLimit(what: string, offset: number, detail: string): NarScanError {
  return new NarScanError('CONTAINER_LIMIT', `${what} archive at byte ${offset}: ${detail}`, { offset });
}

export function faultOf(
  reason: GapReason,
  offset: number,
  detail: string,
  member: ByteString | null = null,
): ContainerFault {
  return { item: 'fault', reason, offset, member, detail };
}

/** The bytes [from, to) of a view as a byte string. */
export function byteStringOf(bytes: Uint8Array, from = 0, to = bytes.length): ByteString {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1', from, to);
}

/** The bytes [from, to) of a view up to the first NUL, as C reads them. */
export function cStringOf(bytes: Uint8Array, from = 0, to = bytes.length): ByteString {
  const nul = bytes.subarray(from, to).indexOf(0);
  return byteStringOf(bytes, from, nul < 0 ? to : from + nul);
}

/**
 * Tells where the container ended, unless the source failed there.
 * @throws what the source threw
 */
export function tellEnd(input: Input, end: (offset: number) => void): void {
  if (input.failure !== null) throw input.failure.error as Error;
  end(input.offset);
}
