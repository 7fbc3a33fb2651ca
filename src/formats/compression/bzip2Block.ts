import type { BitReader } from './bzip2Bits.ts';
import { HuffmanCode } from './bzip2Huffman.ts';

const RUN_A = 0;
const RUN_B = 1;
const GROUP_SYMBOLS = 50;
const CHUNK_BYTES = 256 * 1024;
/** A run is four equal bytes and a count of up to 255 more. */
const RUN_ROOM_BYTES = 256;

/** CRC-32 with the highest bit first, as bzip2 has it. */
const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, index) => {
  let value = index << 24;
  for (let bit = 0; bit < 8; bit += 1) value = value < 0 ? (value << 1) ^ 0x04c11db7 : value << 1;
  return value;
});

function crcOf(bytes: Uint8Array, before: number): number {
  let crc = before;
  for (let at = 0; at < bytes.length; at += 1) {
    crc = (crc << 8) ^ CRC_TABLE[(crc >>> 24) ^ bytes[at]!]!;
  }
  return crc;
}

/** One block of a bzip2 stream: decoded from bits to a permutation, then given out in chunks. */
export class Bzip2Block {
  readonly #capacity: number;
  /** Low 8 bits: a byte of the transformed block; above: index of the byte that follows it. */
  readonly #links: Uint32Array;
  readonly #chunk = new Uint8Array(CHUNK_BYTES);
  #count = 0;
  #origin = 0;
  #crc = 0;

  /** @param level of the stream header, 1 to 9: blocks of that many 100,000 bytes */
  constructor(level: number) {
    this.#capacity = level * 100_000;
    this.#links = new Uint32Array(this.#capacity);
  }

  /** CRC of what {@link chunks} gave out. */
  get crc(): number {
    return this.#crc;
  }

  /** Reads a block behind its CRC. Returns null, or what is wrong with it. */
  read(bits: BitReader): string | null {
    if (bits.read(1) === 1) return 'randomised block';
    this.#origin = bits.read(24);
    const bytes = readAlphabet(bits);
    if (bytes.length === 0) return 'no byte is used';
    const alphabet = bytes.length + 2;
    const codes = bits.read(3);
    if (codes < 2 || codes > 6) return 'number of Huffman codes';
    const selectors = readSelectors(bits, codes);
    if (selectors === null) return 'Huffman selectors';
    const tables: HuffmanCode[] = [];
    for (let index = 0; index < codes; index += 1) {
      const table = readCode(bits, alphabet);
      if (table === null) return 'Huffman code lengths';
      tables.push(table);
    }
    if (!this.#readSymbols(bits, bytes, selectors, tables)) return 'Huffman symbols';
    if (this.#origin >= this.#count) return 'origin pointer';
    return null;
  }

  #readSymbols(
    bits: BitReader,
    recent: Uint8Array,
    selectors: Uint8Array,
    tables: readonly HuffmanCode[],
  ): boolean {
    const endOfBlock = recent.length + 1;
    const links = this.#links;
    let count = 0;
    let run = 0;
    let weight = 1;
    for (const selector of selectors) {
      const table = tables[selector]!;
      for (let left = GROUP_SYMBOLS; left > 0; left -= 1) {
        const symbol = table.next(bits);
        if (symbol === RUN_A || symbol === RUN_B) {
          run += weight << symbol;
          weight *= 2;
          if (run > this.#capacity - count) return false;
          continue;
        }
        if (run > 0) {
          links.fill(recent[0]!, count, count + run);
          count += run;
          run = 0;
          weight = 1;
        }
        if (symbol === endOfBlock) {
          this.#count = count;
          return true;
        }
        if (symbol < 0 || symbol > endOfBlock || count >= this.#capacity) return false;
        const position = symbol - 1;
        const byte = recent[position]!;
        if (position < 16) for (let at = position; at > 0; at -= 1) recent[at] = recent[at - 1]!;
        else recent.copyWithin(1, 0, position);
        recent[0] = byte;
        links[count] = byte;
        count += 1;
      }
    }
    return false; // the selectors are used up and no end of block came
  }

  /** Undoes the Burrows-Wheeler transform and the outer run lengths. Valid until the next chunk. */
  *chunks(): Generator<Uint8Array, void, undefined> {
    const links = this.#links;
    const starts = new Uint32Array(257);
    for (let index = 0; index < this.#count; index += 1) starts[(links[index]! & 0xff) + 1]! += 1;
    for (let byte = 1; byte < 257; byte += 1) starts[byte]! += starts[byte - 1]!;
    for (let index = 0; index < this.#count; index += 1) {
      const byte = links[index]! & 0xff;
      links[starts[byte]!]! |= index << 8;
      starts[byte]! += 1;
    }
    const chunk = this.#chunk;
    let crc = -1;
    let next = links[this.#origin]! >>> 8;
    let left = this.#count;
    let previous = -1;
    let equal = 0;
    while (left > 0) {
      let end = 0;
      for (; left > 0 && end <= CHUNK_BYTES - RUN_ROOM_BYTES; left -= 1) {
        const link = links[next]!;
        const byte = link & 0xff;
        next = link >>> 8;
        if (equal === 4) {
          chunk.fill(previous, end, end + byte);
          end += byte;
          equal = 0;
          previous = -1;
          continue;
        }
        equal = byte === previous ? equal + 1 : 1;
        previous = byte;
        chunk[end] = byte;
        end += 1;
      }
      const decoded = chunk.subarray(0, end);
      crc = crcOf(decoded, crc);
      yield decoded;
    }
    this.#crc = ~crc >>> 0;
  }
}

/** The bytes that occur in the block, ascending. */
function readAlphabet(bits: BitReader): Uint8Array {
  const bytes: number[] = [];
  const groups = bits.read(16);
  for (let group = 0; group < 16; group += 1) {
    if ((groups & (0x8000 >> group)) === 0) continue;
    const used = bits.read(16);
    for (let low = 0; low < 16; low += 1) if ((used & (0x8000 >> low)) !== 0) bytes.push(group * 16 + low);
  }
  return Uint8Array.from(bytes);
}

/** Which Huffman code each group of 50 symbols uses. */
function readSelectors(bits: BitReader, codes: number): Uint8Array | null {
  const count = bits.read(15);
  if (count === 0) return null;
  const recent = Array.from({ length: codes }, (_, index) => index);
  const selectors = new Uint8Array(count);
  for (let index = 0; index < count; index += 1) {
    let position = 0;
    while (bits.read(1) === 1) {
      position += 1;
      if (position >= codes) return null;
    }
    const [selector = 0] = recent.splice(position, 1);
    recent.unshift(selector);
    selectors[index] = selector;
  }
  return selectors;
}

/** One Huffman code: lengths as differences. */
function readCode(bits: BitReader, alphabet: number): HuffmanCode | null {
  const lengths = new Uint8Array(258);
  let length = bits.read(5);
  for (let symbol = 0; symbol < alphabet; symbol += 1) {
    for (;;) {
      if (length < 1 || length > 20 || bits.overrun) return null;
      if (bits.read(1) === 0) break;
      length += bits.read(1) === 0 ? 1 : -1;
    }
    lengths[symbol] = length;
  }
  return new HuffmanCode(lengths, alphabet);
}
