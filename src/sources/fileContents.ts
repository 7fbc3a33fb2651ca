import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from 'node:fs';
import { fsPath, type ByteString } from '../model/bytes.ts';
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
  readonly fd: number;
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
        const detail = 'became something else than a file while it was scanned';
        return {
          facts: { findings: [], gaps: [{ reason: 'special-file', offset: null, detail }] },
          bytes: 0,
          held: null,
        };
      }
      const read =
        stats.nlink > 1
          ? this.#linked(inspection, fd, name, stats)
          : this.#bytes(inspection, fd, name, stats.size);
      held = read.held?.fd === fd;
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
    const { fd } = held;
    try {
      let { reader } = held;
      if (reader === null) {
        const now = await this.#readInTurns(inspection, fd, name, read.bytes);
        ({ facts: read.facts, bytes: read.bytes } = now);
        if (now.held === null) return read.facts;
        ({ reader } = now.held);
      }
      if (reader === null) throw new Error('a file was left for later twice');
      return (read.facts = await (await inspection.containers()).open(name, read.facts, reader, budget));
    } finally {
      closeSync(fd);
    }
  }

  #linked(inspection: Inspection, fd: number, name: ByteString, stats: Stats): FileRead {
    // the name counts too: some kinds of content are told by it
    const ending = name.slice(name.lastIndexOf('.') + 1);
    const { dev, ino, size, mtimeMs, ctimeMs } = stats;
    // an inode number that does not fit could be its neighbour's as well
    if (!Number.isSafeInteger(ino)) return this.#bytes(inspection, fd, name, size);
    const key = `${dev}:${ino}:${size}:${mtimeMs}:${ctimeMs}:${ending}`;
    const known = this.#inodes.get(key);
    if (known !== undefined) return known;
    const read = this.#bytes(inspection, fd, name, size);
    if (this.#inodes.size >= INODES) this.#inodes.clear();
    this.#inodes.set(key, read);
    return read;
  }

  #bytes(inspection: Inspection, fd: number, name: ByteString, size: number): FileRead {
    if (this.#pace.turns !== null && size > LONG_BYTES) {
      return { facts: NO_FACTS, bytes: size, held: { fd, reader: null } };
    }
    const count = this.#fill(fd, size);
    if (count < this.#window.size) return this.#short(inspection, fd, name, count, size);
    const reading = this.#long(inspection, fd, name, count, size);
    for (;;) {
      const { done, value } = reading.next();
      if (done === true) return value;
      this.#pace.between();
    }
  }

  /** What the system refuses is a gap, for all entries that share the file. */
  async #readInTurns(inspection: Inspection, fd: number, name: ByteString, size: number): Promise<FileRead> {
    const { between, turns } = this.#pace;
    let bytes = 0;
    try {
      const count = this.#fill(fd, size);
      if (count < this.#window.size) return this.#short(inspection, fd, name, count, size);
      const reading = this.#long(inspection, fd, name, count, size);
      for (;;) {
        const { done, value } = reading.next();
        if (done === true) return value;
        bytes = value;
        between();
        if (turns?.due === true) await turns.pass();
      }
    } catch (error) {
      const gap = refusalGap(error);
      const facts = bytes === 0 ? { findings: [], gaps: [gap] } : inspection.contents.broken(gap);
      return this.#read(fd, facts, bytes);
    }
  }

  /** Reads to the window what there is room for; less than that is all there is. */
  #fill(fd: number, size: number): number {
    const { memory, start, size: room } = this.#window;
    let count = readSync(fd, memory, start, room, null);
    while (count < size && count < room) {
      const more = readSync(fd, memory, start + count, room - count, null);
      if (more === 0) break;
      count += more;
    }
    return count;
  }

  #short(inspection: Inspection, fd: number, name: ByteString, count: number, size: number): FileRead {
    const { start } = this.#window;
    const facts = inspection.contents.whole(name, start, start + count);
    return this.#read(fd, count < size ? withGap(facts, shrank(count, size)) : facts, count);
  }

  /** A file that is longer than the window, which is full of its beginning. Yields how much has been read, again and again. */
  *#long(
    inspection: Inspection,
    fd: number,
    name: ByteString,
    count: number,
    size: number,
  ): Generator<number, FileRead, undefined> {
    const { memory, start, size: room } = this.#window;
    const { contents } = inspection;
    this.#head.set(memory.subarray(start, start + HEAD_BYTES));
    contents.begin(start);
    let total = count;
    let last = count;
    for (;;) {
      contents.extend(start + last, false);
      this.#window.carry(contents);
      last = readSync(fd, memory, start, room, null);
      if (last === 0) break;
      total += last;
      yield total;
    }
    contents.extend(start, true);
    if (total < size) return this.#read(fd, contents.broken(shrank(total, size)), total);
    return this.#read(fd, contents.finish(name, this.#head, new FileRange(fd, 0, total)), total);
  }

  #read(fd: number, facts: ContentFacts, bytes: number): FileRead {
    const held = facts.opening === undefined ? null : { fd, reader: new FileRange(fd, 0, bytes) };
    return { facts, bytes, held };
  }
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
