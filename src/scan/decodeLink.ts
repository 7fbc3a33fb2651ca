import type { ErrorCode } from '../model/errors.ts';
import { PACKED_BYTES } from '../sources/packed.ts';
import { ringBytes, SlotRing, waitWhile } from './slotRing.ts';

/*
 * What the thread that scans and the one that decodes share: a ring of packed bytes there, a ring of decoded ones back,
 * and a count of all that the decoding side has done, so that the other can wait for either ring.
 */

const PACKED = { slots: 8, slotBytes: PACKED_BYTES };
const DECODED = { slots: 16, slotBytes: 512 * 1024 };
const DECODED_AT = ringBytes(PACKED);
const EVENTS_AT = DECODED_AT + ringBytes(DECODED);

/** Before the bytes of each decoded slot: how many packed ones the decoder had been given by then, as a double. */
const GIVEN_BYTES = 8;

/** Marks among packed bytes: they are at their end; they broke off. */
export const LAST = -1;
export const BROKEN = -2;
/** Marks among decoded bytes: all is decoded; the packed bytes broke off; a fault, as JSON in the slot behind. */
export const DONE = -1;
export const FAILED = -2;
export const FAULT = -3;

/** What goes as JSON behind FAULT; without a code it is a fault of the program. */
export interface DecodingFault {
  readonly code: ErrorCode | null;
  readonly message: string;
  readonly offset: number | null;
}

/** Shared memory of the right size for a {@link DecodeLink}. */
export function decodeLinkMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(EVENTS_AT + 4);
}

export class DecodeLink {
  readonly packed: SlotRing;
  readonly decoded: SlotRing;
  readonly #events: Int32Array;

  constructor(shared: SharedArrayBuffer) {
    this.packed = new SlotRing(shared, 0, PACKED);
    this.decoded = new SlotRing(shared, DECODED_AT, DECODED);
    this.#events = new Int32Array(shared, EVENTS_AT, 1);
  }

  /** How often the decoding side has done something; to be asked before it is looked for what it has done. */
  get events(): number {
    return Atomics.load(this.#events, 0);
  }

  /** Waits until the decoding side has done something more. @throws Error where it is gone */
  awaitEvent(since: number): void {
    waitWhile(this.#events, 0, since);
  }

  /** The decoding side has taken or given something. */
  tell(): void {
    Atomics.add(this.#events, 0, 1);
    Atomics.notify(this.#events, 0);
  }
}

/** The decoded bytes of a slot, and how many packed ones had been given by then. */
export function decodedOf(slot: Uint8Array): { readonly bytes: Uint8Array; readonly given: number } {
  const given = new DataView(slot.buffer, slot.byteOffset).getFloat64(0, true);
  return { bytes: slot.subarray(GIVEN_BYTES), given };
}

/** Gathers decoded bytes to whole slots, so that they lie to words as they did in the decoder's own buffers. */
export class DecodedSlots {
  readonly #link: DecodeLink;
  #slot: Uint8Array | null = null;
  #filled = 0;

  constructor(link: DecodeLink) {
    this.#link = link;
  }

  add(chunk: Uint8Array, given: number): void {
    for (let at = 0; at < chunk.length;) {
      this.#slot ??= this.#room();
      const room = this.#slot.length - GIVEN_BYTES - this.#filled;
      const part = Math.min(room, chunk.length - at);
      this.#slot.set(chunk.subarray(at, at + part), GIVEN_BYTES + this.#filled);
      this.#filled += part;
      at += part;
      if (part === room) this.flush(given);
    }
  }

  /** Hands over what has been gathered. */
  flush(given: number): void {
    if (this.#slot === null) return;
    new DataView(this.#slot.buffer, this.#slot.byteOffset).setFloat64(0, given, true);
    this.#publish(GIVEN_BYTES + this.#filled);
    this.#slot = null;
    this.#filled = 0;
  }

  /** One of DONE, FAILED; of FAULT with the text behind it. All gathered bytes must have been flushed. */
  mark(mark: number, text: Uint8Array | null = null): void {
    this.#room();
    this.#publish(mark);
    if (text === null) return;
    const slot = this.#room();
    slot.set(text.subarray(0, slot.length));
    this.#publish(Math.min(text.length, slot.length));
  }

  /** What is scanned may take as long as it likes; who no longer wants anything ends this thread. */
  #room(): Uint8Array {
    return this.#link.decoded.room(Infinity);
  }

  #publish(length: number): void {
    this.#link.decoded.publish(length);
    this.#link.tell();
  }
}
