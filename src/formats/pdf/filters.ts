import { NarScanError } from '../../model/errors.ts';
import type { ByteStream } from '../container.ts';
import { decompress } from '../compression/decompress.ts';
import { byteAt } from '../integers.ts';

type Chunks = AsyncGenerator<Uint8Array, void, undefined>;

/** The filters whose data are pixels: what they hold is no text. */
const IMAGES: ReadonlySet<string> = new Set(['DCTDecode', 'JPXDecode', 'CCITTFaxDecode', 'JBIG2Decode']);

const DECODERS: Readonly<Record<string, (source: ByteStream) => Chunks>> = {
  FlateDecode: inflate,
  ASCII85Decode: decodeAscii85,
  ASCIIHexDecode: decodeHex,
  RunLengthDecode: decodeRuns,
};

/** A stream with its filters undone, as far as they can be. */
export interface Unfiltered {
  readonly contents: ByteStream;
  /** How many filters were undone. */
  readonly undone: number;
  /** The filter that could not be undone; null: none, or the rest is an image. */
  readonly stopped: string | null;
}

/** Undoes filters in their order (ISO 32000-1, 7.4). @throws NarScanError COMPRESSION_*, CONTAINER_*, while it is read */
export function unfilter(source: ByteStream, filters: readonly string[], identity: boolean): Unfiltered {
  let contents = source;
  let undone = 0;
  for (const name of filters) {
    if (IMAGES.has(name)) break;
    if (name === 'Crypt' && identity) continue;
    const decode = DECODERS[name];
    if (decode === undefined) return { contents, undone, stopped: name };
    contents = decode(contents);
    undone += 1;
  }
  return { contents, undone, stopped: null };
}

async function* inflate(source: ByteStream): Chunks {
  try {
    yield* decompress('zlib', source);
  } catch (error) {
    // Line ends between the stream and its end mark.
    if (!(error instanceof NarScanError) || error.code !== 'COMPRESSION_TRAILING') throw error;
  }
}

const isSpace = (byte: number): boolean => byte === 0x20 || (byte >= 0x09 && byte <= 0x0d) || byte === 0;

function wrong(filter: string): NarScanError {
  return new NarScanError('CONTAINER_CORRUPT', `${filter} data hold a byte that has no meaning in them`);
}

function cut(filter: string): NarScanError {
  return new NarScanError('CONTAINER_TRUNCATED', `${filter} data have no end mark`);
}

const TILDE = 0x7e;

/** Groups of five characters from `!` to `u` for four bytes, `z` for four zeros, `~` for the end. */
async function* decodeAscii85(source: ByteStream): Chunks {
  const group: number[] = [];
  for await (const chunk of source) {
    const output = new Uint8Array(chunk.length * 4);
    let filled = 0;
    for (const byte of chunk) {
      if (isSpace(byte)) continue;
      if (byte === TILDE) {
        yield Buffer.concat([output.subarray(0, filled), lastGroup(group)]);
        return;
      }
      if (byte === 0x7a && group.length === 0) {
        filled += 4; // zeros
        continue;
      }
      if (byte < 0x21 || byte > 0x75) {
        yield output.subarray(0, filled);
        throw wrong('ASCII85Decode');
      }
      group.push(byte - 0x21);
      if (group.length < 5) continue;
      output.set(bytesOf(group), filled);
      filled += 4;
      group.length = 0;
    }
    if (filled > 0) yield output.subarray(0, filled);
  }
  throw cut('ASCII85Decode');
}

function bytesOf(group: readonly number[]): readonly number[] {
  const value = group.reduce((sum, digit) => sum * 85 + digit, 0);
  return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) & 0xff);
}

/** Of n characters, n - 1 bytes. */
function lastGroup(group: readonly number[]): Uint8Array {
  if (group.length < 2) return new Uint8Array(0);
  const padded = [...group, ...Array.from({ length: 5 - group.length }, () => 84)];
  return Uint8Array.from(bytesOf(padded).slice(0, group.length - 1));
}

/** Hexadecimal digits up to `>`; a last one alone stands before a zero. */
async function* decodeHex(source: ByteStream): Chunks {
  let high = -1;
  for await (const chunk of source) {
    const output = new Uint8Array(chunk.length + 1);
    let filled = 0;
    for (const byte of chunk) {
      if (isSpace(byte)) continue;
      if (byte === 0x3e) {
        if (high >= 0) output[filled++] = high * 16;
        yield output.subarray(0, filled);
        return;
      }
      const digit = Number.parseInt(String.fromCharCode(byte), 16);
      if (Number.isNaN(digit)) {
        yield output.subarray(0, filled);
        throw wrong('ASCIIHexDecode');
      }
      if (high >= 0) output[filled++] = high * 16 + digit;
      high = high >= 0 ? -1 : digit;
    }
    if (filled > 0) yield output.subarray(0, filled);
  }
  throw cut('ASCIIHexDecode');
}

const RUNS_END = 128;

/** A length below 128 and so many bytes and one; above 128, a byte that is repeated 257 - length times. */
async function* decodeRuns(source: ByteStream): Chunks {
  let length = -1;
  let literals = 0;
  for await (const chunk of source) {
    for (let at = 0; at < chunk.length;) {
      if (literals > 0) {
        const part = chunk.subarray(at, at + literals);
        literals -= part.length;
        at += part.length;
        yield part;
      } else if (length >= 0) {
        yield new Uint8Array(257 - length).fill(byteAt(chunk, at));
        length = -1;
        at += 1;
      } else {
        const next = byteAt(chunk, at);
        at += 1;
        if (next === RUNS_END) {
          // What the search for streams has passed over must have been read here.
          if (!chunk.subarray(at).every(isSpace)) throw wrong('RunLengthDecode');
          return;
        }
        if (next < RUNS_END) literals = next + 1;
        else length = next;
      }
    }
  }
  throw cut('RunLengthDecode');
}
