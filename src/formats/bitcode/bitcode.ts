import { NarScanError } from '../../model/errors.ts';
import type { ContainerItem } from '../container.ts';
import { LITTLE_ENDIAN } from '../integers.ts';
import type { RangeReader } from '../ranges.ts';
import { readAbbreviation, readScalar } from './abbreviations.ts';
import type { Abbreviation } from './abbreviations.ts';
import { BitReader } from './bitReader.ts';

const MAGIC = 0xdec0_4342;
const WRAPPER_MAGIC = 0x0b17_c0de;
const WRAPPER_BYTES = 20;

const END_BLOCK = 0;
const ENTER_BLOCK = 1;
const DEFINE_ABBREVIATION = 2;
const PLAIN_RECORD = 3;
const FIRST_ABBREVIATION = 4;

const BLOCK_INFO = 0;
const MODULE = 8;
const SET_BLOCK_ID = 1;
const OUTERMOST_WIDTH = 2;

/** LLVM nests blocks six deep, and has a few dozen abbreviations at a time. */
const MAX_DEPTH = 64;
const MAX_ABBREVIATIONS = 65_536;
/** Records of fewer values hold no path. */
const LEAST_VALUES = 4;
const OUTPUT_BYTES = 64 * 1024;

/** Whether LLVM bitcode begins in `head`, bare or wrapped; four bytes are looked at. */
export function isBitcode(head: Uint8Array): boolean {
  if (head.length < 4) return false;
  const magic = LITTLE_ENDIAN.u32(head, 0);
  return magic === MAGIC || magic === WRAPPER_MAGIC;
}

/** A file of bitcode, as a container of one member: its strings ({@link bitcodeStrings}). */
export async function* readBitcode(reader: RangeReader): AsyncGenerator<ContainerItem, void, undefined> {
  yield {
    item: 'member',
    name: 'strings',
    type: 'file',
    target: '',
    offset: 0,
    stored: false,
    contents: bitcodeStrings(reader, 0, reader.size),
  };
}

/** A block that is being read. */
interface Block {
  readonly id: number;
  /** Bits of an abbreviation's number in it. */
  readonly width: number;
  /** Bits that are left in the stream where the block should end. */
  readonly end: number;
  /** Abbreviations by BLOCKINFO, as many as there were when the block began; then its own. */
  readonly inherited: readonly Abbreviation[];
  readonly inheritedCount: number;
  readonly own: Abbreviation[];
}

/**
 * The strings of LLVM bitcode, a NUL behind each. In the file they begin at any bit, and a
 * character has six, seven or eight bits or two pieces of six, so no search over its bytes sees
 * them: string constants, the name of the source file, inline assembly. Every record that may be
 * text is given, values above 255 as NUL. Blobs (names, debug information) are left out: they are
 * bytes of the file as it is.
 *
 * Several modules may follow one another, as linkers put sections together. Time and memory are
 * linear in the range at most.
 *
 * Source: LLVM, "LLVM Bitcode File Format".
 *
 * @throws NarScanError CONTAINER_CORRUPT, CONTAINER_TRUNCATED, CONTAINER_UNREADABLE, after the
 *   strings before the fault
 */
export async function* bitcodeStrings(
  reader: RangeReader,
  offset: number,
  length: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  const walk = new Walk(unwrapped(reader, offset, length));
  for (let more = true; more;) {
    let failure: { readonly error: unknown } | null = null;
    try {
      more = walk.run();
    } catch (error) {
      failure = { error };
    }
    const text = walk.take();
    if (text.length > 0) yield text;
    if (failure !== null) throw failure.error;
  }
}

/** The stream itself: a wrapper says where it is. */
function unwrapped(reader: RangeReader, offset: number, length: number): BitReader {
  const head = length < WRAPPER_BYTES ? null : reader.read(offset, WRAPPER_BYTES);
  if (head === null || LITTLE_ENDIAN.u32(head, 0) !== WRAPPER_MAGIC)
    return new BitReader(reader, offset, length);
  const start = LITTLE_ENDIAN.u32(head, 8);
  const bytes = LITTLE_ENDIAN.u32(head, 12);
  if (start + bytes > length) {
    throw new NarScanError('CONTAINER_TRUNCATED', 'wrapped bitcode ends early', { offset: offset + length });
  }
  return new BitReader(reader, offset + start, bytes);
}

class Walk {
  readonly #bits: BitReader;
  readonly #stack: Block[] = [];
  readonly #blockInfo = new Map<number, Abbreviation[]>();
  #abbreviations = 0;
  /** The block that BLOCKINFO speaks of. */
  #described: number | null = null;
  // with room for the NUL behind a string that just fits
  readonly #output = new Uint8Array(OUTPUT_BYTES + 1);
  #written = 0;
  /** Elements of an array or values of a record that are still to be read; 0: none. */
  #left = 0;
  #elements: Abbreviation['last'] = null;

  constructor(bits: BitReader) {
    this.#bits = bits;
  }

  /** What was found since it was asked for last. Valid until `run` is called again. */
  take(): Uint8Array {
    const text = this.#output.subarray(0, this.#written);
    this.#written = 0;
    return text;
  }

  /** Reads on until the output is full. @returns false at the end */
  run(): boolean {
    while (this.#written < OUTPUT_BYTES) {
      if (this.#left > 0) this.#values();
      else if (this.#stack.length > 0) this.#inBlock();
      else if (!this.#outside()) return false;
    }
    return true;
  }

  /** Between blocks: a block, another module's magic, or padding. @returns false at the end */
  #outside(): boolean {
    const bits = this.#bits;
    if (bits.bitsLeft < 32) return false;
    const number = bits.fixed(OUTERMOST_WIDTH);
    if (number === ENTER_BLOCK) {
      this.#enter();
      return true;
    }
    const word = bits.fixed(32 - OUTERMOST_WIDTH) * 2 ** OUTERMOST_WIDTH + number;
    if (word !== MAGIC && word !== 0) throw this.#corrupt('something else than a block');
    return true;
  }

  #inBlock(): void {
    const bits = this.#bits;
    const block = this.#stack.at(-1);
    if (block === undefined) return;
    const number = bits.fixed(block.width);
    if (number === END_BLOCK) {
      bits.align();
      if (bits.bitsLeft !== block.end) throw this.#corrupt('a block is not as long as it says');
      this.#stack.pop();
      if (block.id === BLOCK_INFO) this.#described = null;
    } else if (number === ENTER_BLOCK) {
      this.#enter();
    } else if (number === DEFINE_ABBREVIATION) {
      this.#define(block);
    } else if (number === PLAIN_RECORD) {
      this.#plainRecord(block);
    } else {
      this.#record(block, number - FIRST_ABBREVIATION);
    }
  }

  #enter(): void {
    const bits = this.#bits;
    if (this.#stack.length >= MAX_DEPTH) throw this.#corrupt('blocks are nested too deeply');
    const id = bits.variable(8);
    const width = bits.variable(4);
    bits.align();
    const words = bits.fixed(32);
    if (width < 2 || width > 32) throw this.#corrupt(`abbreviations are numbered in ${width} bits`);
    if (words * 32 > bits.bitsLeft) {
      throw new NarScanError('CONTAINER_TRUNCATED', 'a block ends early', { offset: bits.offset });
    }
    // Modules of one file know nothing of one another.
    if (id === MODULE && this.#stack.length === 0) this.#blockInfo.clear();
    const inherited = this.#blockInfo.get(id) ?? [];
    const end = bits.bitsLeft - words * 32;
    this.#stack.push({ id, width, end, inherited, inheritedCount: inherited.length, own: [] });
  }

  #define(block: Block): void {
    this.#abbreviations += 1;
    if (this.#abbreviations > MAX_ABBREVIATIONS) throw this.#corrupt('too many abbreviations');
    const abbreviation = readAbbreviation(this.#bits);
    if (block.id !== BLOCK_INFO) {
      block.own.push(abbreviation);
      return;
    }
    if (this.#described === null) throw this.#corrupt('an abbreviation of no block');
    const known = this.#blockInfo.get(this.#described);
    if (known === undefined) this.#blockInfo.set(this.#described, [abbreviation]);
    else known.push(abbreviation);
  }

  /** A record without an abbreviation: six bits a piece. */
  #plainRecord(block: Block): void {
    const bits = this.#bits;
    const code = bits.variable(6);
    const count = bits.variable(6);
    if (count * 6 > bits.bitsLeft) throw this.#corrupt('a record is longer than its stream');
    if (block.id === BLOCK_INFO && code === SET_BLOCK_ID && count > 0) {
      this.#described = bits.variable(6);
      for (let k = 1; k < count; k += 1) bits.variable(6);
      return;
    }
    this.#begin(count, { elements: { kind: 'variable', width: 6 } });
  }

  #record(block: Block, index: number): void {
    const bits = this.#bits;
    const { inherited, inheritedCount, own } = block;
    const abbreviation = index < inheritedCount ? inherited[index] : own[index - inheritedCount];
    if (abbreviation === undefined) throw this.#corrupt('an abbreviation that was never defined');
    for (const scalar of abbreviation.scalars) readScalar(bits, scalar);
    const { last } = abbreviation;
    if (last === null) return;
    const count = bits.variable(6);
    if (count * (last === 'blob' ? 8 : last.elements.width) > bits.bitsLeft) {
      throw this.#corrupt('a record is longer than its stream');
    }
    if (last !== 'blob') {
      this.#begin(count, last);
      return;
    }
    bits.align();
    bits.skip(count * 8);
    bits.align();
  }

  #begin(count: number, last: Abbreviation['last']): void {
    this.#left = count;
    this.#elements = last;
    if (count >= LEAST_VALUES) return;
    const from = this.#written;
    this.#values();
    this.#written = from;
  }

  /** Reads values of the record at hand, as many as the output has room for. */
  #values(): void {
    const last = this.#elements;
    if (last === null || last === 'blob') return;
    const { elements } = last;
    const count = Math.min(this.#left, OUTPUT_BYTES - this.#written);
    for (let k = 0; k < count; k += 1) {
      const value = readScalar(this.#bits, elements);
      this.#output[this.#written] = value < 256 ? value : 0;
      this.#written += 1;
      this.#left -= 1;
    }
    if (this.#left > 0) return;
    this.#output[this.#written] = 0;
    this.#written += 1;
  }

  #corrupt(what: string): NarScanError {
    return new NarScanError('CONTAINER_CORRUPT', `bitcode: ${what}`, { offset: this.#bits.offset });
  }
}
