import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from 'node:fs';
import { fsPath, type ByteString } from '../model/bytes.ts';
import type { GapReason } from '../model/facts.ts';
import { LIMITS } from '../model/limits.ts';
import type { RangeReader } from '../formats/ranges.ts';
import type { Budget } from '../inspect/containers/budget.ts';
import { type ContentFacts, type LocalGap, NO_FACTS } from '../inspect/local.ts';
import type { Turns } from '../inspect/turns.ts';
import type { Inspection } from './inspection.ts';
import { refusalGap } from './refusal.ts';
import type { Window } from '../inspect/window.ts';

const OPEN = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
const HEAD_BYTES = 64 * 1024;
const INODES = 65_536;

/** A part of a file that has been opened before. */
export interface FileStretch {
  readonly path: ByteString;
  /** See {@link identityOf}. */
  readonly identity: string;
  readonly offset: number;
  readonly size: number;
}

/** What is read of an open file. */
interface Reading {
  readonly fd: number;
  /** Where it begins; null: all that the file has, be that more than `size` by now. */
  readonly base: number | null;
  readonly size: number;
  /** Called as its bytes pass; true: the run was ended, stop. */
  readonly passed: (bytes: number) => boolean;
}

/** What reading one file gave. */
export interface FileRead {
  facts: ContentFacts;
  /** Bytes that were read, or that the file has where its inode was read before. */
  bytes: number;
  /** The file, kept open until what it holds is opened; null where it holds nothing or that is done. */
  held: HeldFile | null;
}

/** An open file that waits for its containers to be opened. */
interface HeldFile {
  readonly reading: Reading;
  /** Null while none of it has been read: it is too long to be read in one go. */
  readonly reader: RangeReader | null;
}

/** How a thread goes about files that take long to read. */
export interface Pace {
  /** Where the thread has other things to do: longer files are left for {@link FileContents.open}. */
  readonly turns: Turns | null;
  /** Called between the chunks of a long file. */
  readonly between: () => void;
}

const NO_PACE: Pace = { turns: null, between: () => undefined };
/** What stays, for all entries that link to a file, where a fault of the program ends its reading. */
const UNREAD: LocalGap = { reason: 'internal', offset: null, detail: 'was not read, or not to its end' };
/** What is read in one go in a thread that has other things to do: some milliseconds, where it is in memory. */
const LONG_BYTES = 8 * LIMITS.chunkBytes;

/** Reads files of a tree straight into the matcher's memory and inspects them there. */
export class FileContents {
  readonly #window: Window;
  readonly #head = Buffer.alloc(HEAD_BYTES);
  /** Facts of inodes that other entries link to as well. */
  readonly #inodes = new Map<string, FileRead>();
  readonly #pace: Pace;
  #inspection: Inspection | null = null;

  constructor(window: Window, pace: Pace = NO_PACE) {
    this.#window = window;
    this.#pace = pace;
  }

  /**
   * Inspects the regular file at `path`. Never waits on a fifo and never follows a link that took
   * the file's place.
   *
   * @throws the system's error when the file cannot be opened or read
   */
  read(inspection: Inspection, path: ByteString, name: ByteString): FileRead {
    if (inspection !== this.#inspection) {
      this.#inspection = inspection;
      this.#inodes.clear();
    }
    const fd = openSync(fsPath(path), OPEN);
    let held = false;
    try {
      const stats = fstatSync(fd);
      if (!stats.isFile()) {
        return nothing('special-file', 'became something else than a file while it was scanned');
      }
      const read =
        stats.nlink > 1
          ? this.#linked(inspection, fd, name, stats)
          : this.#bytes(inspection, name, all(fd, stats.size));
      held = read.held?.reading.fd === fd;
      return read;
    } finally {
      if (!held) closeSync(fd);
    }
  }

  /**
   * Inspects a part of a file as if it were a file called `name`. Of a file that is not the one it was,
   * nothing.
   *
   * @param passed called as bytes pass; true: the run was ended, stop
   * @throws the system's error when the file cannot be opened or read
   */
  readStretch(
    inspection: Inspection,
    { path, identity, offset, size }: FileStretch,
    name: ByteString,
    passed: (bytes: number) => boolean,
  ): FileRead {
    const fd = openSync(fsPath(path), constants.O_RDONLY | constants.O_NONBLOCK);
    let held = false;
    try {
      const stats = fstatSync(fd);
      if (!stats.isFile() || identityOf(stats) !== identity) {
        return nothing('unreadable', 'not searched: the file that it lies in changed while it was scanned');
      }
      const read = this.#bytes(inspection, name, { fd, base: offset, size, passed });
      held = read.held !== null;
      return read;
    } finally {
      if (!held) closeSync(fd);
    }
  }

  /**
   * Reads a file that was left for later, and opens what it holds; its facts are complete afterwards.
   * Other entries that link to the file share what was found.
   *
   * @throws the system's error when the file cannot be read
   */
  async open(
    inspection: Inspection,
    read: FileRead,
    name: ByteString,
    budget: Budget,
  ): Promise<ContentFacts> {
    const { held } = read;
    if (held === null) return read.facts;
    read.held = null;
    const { reading } = held;
    let { reader } = held;
    let { facts } = read;
    read.facts = withGap(facts, UNREAD);
    try {
      if (reader === null) {
        const now = await this.#readInTurns(inspection, name, reading);
        read.bytes = now.bytes;
        if (now.held === null) return (read.facts = now.facts);
        ({ facts } = now);
        ({ reader } = now.held);
        read.facts = withGap(facts, UNREAD);
      }
      if (reader === null) throw new Error('a file was left for later twice');
      return (read.facts = await (await inspection.containers()).open(name, facts, reader, budget));
    } finally {
      closeSync(reading.fd);
    }
  }

  #linked(inspection: Inspection, fd: number, name: ByteString, stats: Stats): FileRead {
    // the name counts too: some kinds of content are told by it
    const ending = name.slice(name.lastIndexOf('.') + 1);
    const { size } = stats;
    const identity = identityOf(stats);
    if (identity === null) return this.#bytes(inspection, name, all(fd, size));
    const key = `${identity}:${ending}`;
    const known = this.#inodes.get(key);
    if (known !== undefined) return known;
    const read = this.#bytes(inspection, name, all(fd, size));
    if (this.#inodes.size >= INODES) this.#inodes.clear();
    this.#inodes.set(key, read);
    return read;
  }

  #bytes(inspection: Inspection, name: ByteString, reading: Reading): FileRead {
    const { size } = reading;
    if (this.#pace.turns !== null && size > LONG_BYTES) {
      return { facts: NO_FACTS, bytes: size, held: { reading, reader: null } };
    }
    const count = this.#fill(reading);
    if (count < this.#window.size) return this.#short(inspection, name, reading, count);
    const chunks = this.#long(inspection, name, reading, count);
    for (;;) {
      const { done, value } = chunks.next();
      if (done === true) return value;
      this.#pace.between();
    }
  }

  /** What the system refuses is a gap, for all entries that share the file. */
  async #readInTurns(inspection: Inspection, name: ByteString, reading: Reading): Promise<FileRead> {
    const { between, turns } = this.#pace;
    try {
      const count = this.#fill(reading);
      if (count < this.#window.size) return this.#short(inspection, name, reading, count);
      const chunks = this.#long(inspection, name, reading, count);
      for (;;) {
        const { done, value } = chunks.next();
        if (done === true) return value;
        between();
        if (turns?.due === true) await turns.pass();
      }
    } catch (error) {
      return readOf(reading, { findings: [], gaps: [refusalGap(error)] }, 0);
    }
  }

  /** Reads to the window what there is room for; less than that is all there is. */
  #fill(reading: Reading): number {
    const { start, size: room } = this.#window;
    let count = this.#next(reading, 0, start, room);
    while (count < reading.size && count < room) {
      const more = this.#next(reading, count, start + count, room - count);
      if (more === 0) break;
      count += more;
    }
    return count;
  }

  /** Reads up to `room` bytes to memory[at …] behind the first `done`; returns how many, 0 at the end. */
  #next({ fd, base, size }: Reading, done: number, at: number, room: number): number {
    const { memory } = this.#window;
    if (base === null) return readSync(fd, memory, at, room, null);
    return readSync(fd, memory, at, Math.min(room, size - done), base + done);
  }

  #short(inspection: Inspection, name: ByteString, reading: Reading, count: number): FileRead {
    const { start } = this.#window;
    const { size } = reading;
    const facts = inspection.contents.whole(name, start, start + count);
    reading.passed(count);
    return readOf(reading, count < size ? withGap(facts, shrank(count, size)) : facts, count);
  }

  /** A file that is longer than the window, which is full of its beginning. Yields between its chunks; what was found before a chunk cannot be read counts. */
  *#long(
    inspection: Inspection,
    name: ByteString,
    reading: Reading,
    count: number,
  ): Generator<undefined, FileRead, undefined> {
    const { memory, start, size: room } = this.#window;
    const { contents } = inspection;
    this.#head.set(memory.subarray(start, start + HEAD_BYTES));
    contents.begin(start);
    let total = count;
    let last = count;
    for (;;) {
      contents.extend(start + last, false);
      this.#window.carry(contents);
      if (reading.passed(last)) break;
      try {
        last = this.#next(reading, total, start, room);
      } catch (error) {
        // of a file whose beginning alone was read nothing was said yet
        if (total === count) throw error;
        return readOf(reading, contents.broken(refusalGap(error)), total);
      }
      if (last === 0) break;
      total += last;
      yield;
    }
    contents.extend(start, true);
    if (last > 0) return readOf(reading, contents.broken(ended(total)), total);
    if (total < reading.size) return readOf(reading, contents.broken(shrank(total, reading.size)), total);
    return readOf(reading, contents.finish(name, this.#head, rangeOf(reading, total)), total);
  }
}

const never = (): boolean => false;

/** All of a file. */
function all(fd: number, size: number): Reading {
  return { fd, base: null, size, passed: never };
}

function rangeOf({ fd, base }: Reading, bytes: number): FileRange {
  return new FileRange(fd, base ?? 0, bytes);
}

function readOf(reading: Reading, facts: ContentFacts, bytes: number): FileRead {
  const held = facts.opening === undefined ? null : { reading, reader: rangeOf(reading, bytes) };
  return { facts, bytes, held };
}

function nothing(reason: GapReason, detail: string): FileRead {
  return { facts: { findings: [], gaps: [{ reason, offset: null, detail }] }, bytes: 0, held: null };
}

/**
 * What a file has as long as it is the same one with the same content; null where that cannot be told:
 * an inode number that does not fit could be its neighbour's as well.
 */
export function identityOf({ dev, ino, size, mtimeMs, ctimeMs }: Stats): string | null {
  return Number.isSafeInteger(ino) ? `${dev}:${ino}:${size}:${mtimeMs}:${ctimeMs}` : null;
}

/** Random access to [base, base + size) of an open file. */
export class FileRange implements RangeReader {
  readonly #fd: number;
  readonly #base: number;
  readonly size: number;

  constructor(fd: number, base: number, size: number) {
    this.#fd = fd;
    this.#base = base;
    this.size = size;
  }

  read(offset: number, length: number): Uint8Array | null {
    if (offset < 0 || length < 0 || offset + length > this.size || length > LIMITS.binaryTableBytes)
      return null;
    const bytes = Buffer.allocUnsafe(length);
    let count = 0;
    while (count < length) {
      const more = readSync(this.#fd, bytes, count, length - count, this.#base + offset + count);
      if (more === 0) return null;
      count += more;
    }
    return bytes;
  }
}

function ended(seen: number): LocalGap {
  return { reason: 'limit-time', offset: seen, detail: 'the scan was ended before all was read' };
}

function shrank(seen: number, size: number): LocalGap {
  return {
    reason: 'unreadable',
    offset: seen,
    detail: `shrank from ${size} to ${seen} bytes while it was read`,
  };
}

function withGap(facts: ContentFacts, gap: LocalGap): ContentFacts {
  return { ...facts, gaps: [...facts.gaps, gap] };
}
