import type { Range } from '../ranges.ts';
import { MAGIC } from './magic.ts';
import {
  readZstdBlock,
  readZstdHeader,
  ZSTD_BLOCK_HEADER_BYTES,
  ZSTD_CHECKSUM_BYTES,
  ZSTD_HEADER_START_BYTES,
  zstdHeaderBytes,
} from './zstdFrame.ts';
import type { ZstdFrameHeader } from './zstdFrame.ts';

/** Magic and size of a skippable frame. */
const SKIPPABLE_HEADER_BYTES = 8;
const HEADER_MOST_BYTES = 18;

/**
 * Tells, of a zstd file (RFC 8878) that passes in pieces, which bytes lie beside its blocks: skippable frames, headers,
 * checksums. What blocks hold becomes what they decode to, and nothing else.
 *
 * Where the file is not what the format says, all that follows lies beside.
 */
export class ZstdStray {
  /** `beside`: bytes that belong to no block; `block`: those of one. */
  #state: 'header' | 'beside' | 'block-header' | 'block' | 'lost' = 'header';
  /** Bytes of the state that are to come yet; what of a header has come lies in the head. */
  #left = 0;
  readonly #head = new Uint8Array(HEADER_MOST_BYTES);
  #gathered = 0;
  #frame: ZstdFrameHeader | null = null;
  #isLast = false;

  /** The ranges of the next piece that lie beside blocks, in order, none touching another. */
  ranges(piece: Uint8Array): readonly Range[] {
    const ranges: { offset: number; length: number }[] = [];
    for (let at = 0; at < piece.length;) {
      const isBeside = this.#state !== 'block' && this.#state !== 'block-header';
      const length = this.#take(piece, at);
      if (isBeside) {
        const before = ranges.at(-1);
        if (before !== undefined && before.offset + before.length === at) before.length += length;
        else ranges.push({ offset: at, length });
      }
      at += length;
    }
    return ranges;
  }

  /** How many of the bytes from `at` on belong to what is under way: at least one. */
  #take(piece: Uint8Array, at: number): number {
    const room = piece.length - at;
    if (this.#state === 'lost') return room;
    if (this.#state === 'header' || this.#state === 'block-header') {
      this.#head[this.#gathered++] = piece[at] as number;
      if (this.#state === 'header') this.#readHeader();
      else if (this.#gathered === ZSTD_BLOCK_HEADER_BYTES) this.#readBlock();
      return 1;
    }
    const length = Math.min(room, this.#left);
    this.#left -= length;
    if (this.#left === 0) this.#next();
    return length;
  }

  /** What comes behind the bytes of a state. */
  #next(): void {
    if (this.#state === 'block' && !this.#isLast) this.#await('block-header', 0);
    else if (this.#state === 'block' && this.#frame?.hasChecksum === true) {
      this.#await('beside', ZSTD_CHECKSUM_BYTES);
    } else this.#await('header', 0);
  }

  #await(state: 'header' | 'beside' | 'block-header' | 'block', left: number): void {
    this.#state = state;
    this.#left = left;
    this.#gathered = 0;
    if (left === 0 && (state === 'beside' || state === 'block')) this.#next();
  }

  #readHeader(): void {
    const head = this.#head.subarray(0, this.#gathered);
    if (head.length < MAGIC.zstd.length) return;
    if (MAGIC.zstd.every((byte, index) => byte === head[index])) {
      if (head.length < ZSTD_HEADER_START_BYTES || head.length < zstdHeaderBytes(head)) return;
      this.#frame = readZstdHeader(head);
      return this.#await('block-header', 0);
    }
    const isSkippable =
      ((head[0] as number) & 0xf0) === 0x50 &&
      head.subarray(1, 4).every((byte, index) => byte === MAGIC.zstdSkippable[index + 1]);
    if (!isSkippable) this.#state = 'lost';
    else if (head.length === SKIPPABLE_HEADER_BYTES) {
      this.#await('beside', new DataView(head.buffer).getUint32(4, true));
    }
  }

  #readBlock(): void {
    const block = readZstdBlock(this.#head, 0, this.#frame?.blockMaxBytes ?? 0);
    this.#isLast = block.last;
    if (block.malformed) this.#state = 'lost';
    else this.#await('block', block.storedBytes);
  }
}
