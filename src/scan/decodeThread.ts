import { workerData } from 'node:worker_threads';
import type { Codec } from '../formats/compression/codec.ts';
import { decompress } from '../formats/compression/decompress.ts';
import { NarScanError } from '../model/errors.ts';
import { PACKED_BYTES } from '../sources/packed.ts';
import { DecodedSlots, DecodeLink, type DecodingFault, DONE, FAILED, FAULT, LAST } from './decodeLink.ts';

/* The thread behind a ThreadDecoder: decodes one stream after another, each behind the name of its codec. */

class BrokenOff extends Error {}

const link = new DecodeLink(workerData as SharedArrayBuffer);
const slots = new DecodedSlots(link);
const piece = Buffer.alloc(PACKED_BYTES);

/** The packed bytes of one stream. */
class PackedPieces implements Iterable<Uint8Array> {
  given = 0;
  #isOver = false;

  *[Symbol.iterator](): Generator<Uint8Array, void, undefined> {
    for (let next = this.#take(); next !== null; next = this.#take()) yield next;
  }

  /** Lets go of what no decoder has asked for. */
  drain(): void {
    while (!this.#isOver) this.#take();
  }

  /** Copies, since not all that decodes takes shared memory. @throws BrokenOff */
  #take(): Uint8Array | null {
    if (this.#isOver) return null;
    const next = link.packed.next();
    if (typeof next !== 'number') piece.set(next);
    link.packed.taken();
    link.tell();
    if (typeof next !== 'number') {
      this.given += next.length;
      return piece.subarray(0, next.length);
    }
    this.#isOver = true;
    if (next !== LAST) throw new BrokenOff();
    return null;
  }
}

async function decodeStream(codec: Codec): Promise<void> {
  const pieces = new PackedPieces();
  try {
    for await (const chunk of decompress(codec, pieces)) slots.add(chunk, pieces.given);
    pieces.drain();
    slots.flush(pieces.given);
    slots.mark(DONE);
  } catch (error) {
    slots.flush(pieces.given);
    if (error instanceof BrokenOff) slots.mark(FAILED);
    else slots.mark(FAULT, Buffer.from(JSON.stringify(faultOf(error))));
  }
}

/** What the other side makes its error of. */
function faultOf(error: unknown): DecodingFault {
  const message = error instanceof Error ? error.message : String(error);
  return error instanceof NarScanError
    ? { code: error.code, message, offset: error.offset }
    : { code: null, message, offset: null };
}

async function decodeStreams(): Promise<void> {
  for (let next = link.packed.next(); typeof next !== 'number'; next = link.packed.next()) {
    const codec = Buffer.from(next).toString() as Codec;
    link.packed.taken();
    await decodeStream(codec);
  }
}

void decodeStreams();
