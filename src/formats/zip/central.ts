import { fromRandomAccessReader, RandomAccessReader } from 'yauzl';
import type { Entry, ZipFile } from 'yauzl';
import { CENTRAL_BYTES, readCentralLink, ZIP64_EXTRA } from './headers.ts';
import type { MemberHeader } from './headers.ts';
import type { Window } from './window.ts';

/** One entry of the central directory. */
export interface CentralEntry extends MemberHeader {
  /** Of the local header; as written, relative to the archive's beginning. */
  readonly offset: number;
  /** Unix mode, 0 where there is none. */
  readonly mode: number;
}

/** An entry that is not understood. */
export interface BadEntry {
  readonly flags: number;
  /** Offset of the central header. */
  readonly at: number;
  readonly cause: string;
}

/** Beyond these an archive is no longer read from entry to entry. */
const MAX_BAD_ENTRIES = 1000;

const WIDE_END_BYTES = 56;
const LOCATOR_BYTES = 20;
const END_BYTES = 22;
const TAIL_BYTES = WIDE_END_BYTES + LOCATOR_BYTES + END_BYTES;

/**
 * What yauzl gets to see: a part of the central directory, and end records that describe just that
 * part, whatever stands around it in the file. Calls back at once, so that a listener of an entry
 * has it when `readEntry` returns.
 */
class DirectoryReader extends RandomAccessReader {
  readonly size: number;
  readonly #window: Window;
  readonly #start: number;
  readonly #length: number;
  readonly #tail = Buffer.alloc(TAIL_BYTES);

  constructor(window: Window, start: number, length: number, entries: number) {
    super();
    this.#window = window;
    this.#start = start;
    this.#length = length;
    this.size = length + TAIL_BYTES;
    const tail = this.#tail;
    tail.writeUInt32LE(0x0606_4b50, 0);
    tail.writeBigUInt64LE(BigInt(entries), 32);
    tail.writeUInt32LE(0x0706_4b50, WIDE_END_BYTES);
    tail.writeBigUInt64LE(BigInt(length), WIDE_END_BYTES + 8);
    tail.writeUInt32LE(0x0605_4b50, WIDE_END_BYTES + LOCATOR_BYTES);
  }

  override read(
    buffer: Buffer,
    offset: number,
    length: number,
    position: number,
    callback: (error: Error | null) => void,
  ): void {
    const inTail = position - this.#length;
    if (inTail + length > 0) {
      // Looking for the end record, which is the very last; what lies before it is not looked at.
      buffer.fill(0, offset, offset + length);
      const skip = Math.max(0, -inTail);
      this.#tail.copy(buffer, offset + skip, Math.max(0, inTail));
      callback(null);
      return;
    }
    const at = this.#window.hold(this.#start + position, length);
    if (at >= 0) this.#window.bytes.copy(buffer, offset, at, at + length);
    callback(at >= 0 ? null : new Error('these bytes cannot be read'));
  }
}

/** The entries of a central directory in its own order, as yauzl reads them, one at a time. */
export class CentralDirectory {
  readonly #window: Window;
  readonly #end: number;
  #at: number;
  #left: number;
  #bad = 0;
  #zip: ZipFile | null = null;
  #result: Entry | Error | null = null;
  #wake: (() => void) | null = null;

  /** @param entries as counted between `start` and `end` */
  constructor(window: Window, start: number, end: number, entries: number) {
    this.#window = window;
    this.#at = start;
    this.#end = end;
    this.#left = entries;
  }

  /** The next entry; null at the end, and once too many were not understood. */
  async next(): Promise<CentralEntry | BadEntry | null> {
    if (this.#left === 0) return null;
    const at = this.#at;
    const result = await this.#read();
    this.#left -= 1;
    if (!(result instanceof Error)) {
      this.#at += CENTRAL_BYTES + result.fileNameLength + result.extraFieldLength + result.fileCommentLength;
      const flags = result.generalPurposeBitFlag;
      return isAmbiguous(result) ? { flags, at, cause: 'two ZIP64 extra fields' } : entryOf(result);
    }
    // yauzl stops for good here, so that the rest is for another one.
    this.#zip = null;
    this.#bad += 1;
    const link = this.#bad > MAX_BAD_ENTRIES ? null : readCentralLink(this.#window, at, this.#end);
    if (link === null) {
      this.#left = 0;
      return null;
    }
    this.#at = link.next;
    return { flags: link.flags, at, cause: result.message };
  }

  async #read(): Promise<Entry | Error> {
    this.#result = null;
    this.#zip ??= await this.#open();
    this.#zip.readEntry();
    // An entry without name, comment and all comes a little later.
    while (this.#result === null) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.#result;
  }

  #open(): Promise<ZipFile> {
    const length = this.#end - this.#at;
    const reader = new DirectoryReader(this.#window, this.#at, length, this.#left);
    const options = { lazyEntries: true, decodeStrings: false, validateEntrySizes: false, autoClose: false };
    const settle = (result: Entry | Error): void => {
      this.#result = result;
      this.#wake?.();
    };
    return new Promise((resolve, reject) => {
      fromRandomAccessReader(reader, reader.size, options, (error, zip) => {
        if (error !== null) {
          reject(error);
          return;
        }
        zip.on('entry', settle);
        zip.on('error', settle);
        resolve(zip);
      });
    });
  }
}

/** One reader takes the first of them, another the last. */
function isAmbiguous({ extraFields }: Entry): boolean {
  return extraFields.length > 1 && extraFields.filter(({ id }) => id === ZIP64_EXTRA).length > 1;
}

function entryOf(entry: Entry): CentralEntry {
  return {
    name: entry.fileNameRaw.toString('latin1'),
    flags: entry.generalPurposeBitFlag,
    method: entry.compressionMethod,
    crc: entry.crc32,
    packed: entry.compressedSize,
    size: entry.uncompressedSize,
    offset: entry.relativeOffsetOfLocalHeader,
    mode: entry.externalFileAttributes >>> 16,
  };
}
