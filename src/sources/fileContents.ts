import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from 'node:fs';
import { fsPath, type ByteString } from '../model/bytes.ts';
import { LIMITS } from '../model/limits.ts';
import type { RangeReader } from '../formats/ranges.ts';
import type { Budget } from '../inspect/containers/budget.ts';
import type { ContentFacts, LocalGap } from '../inspect/local.ts';
import type { Inspection } from './inspection.ts';
import type { Window } from '../inspect/window.ts';

const OPEN = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
const HEAD_BYTES = 64 * 1024;
const INODES = 65_536;

/** What reading one file gave. */
export interface FileRead {
  facts: ContentFacts;
  /** Bytes that were read, or that the file has where its inode was read before. */
  readonly bytes: number;
  /** The file, kept open until what it holds is opened; null where it holds nothing or that is done. */
  held: HeldFile | null;
}

/** An open file that waits for its containers to be opened. */
interface HeldFile {
  readonly fd: number;
  readonly reader: RangeReader;
}

/** Reads files of a tree straight into the matcher's memory and inspects them there. */
export class FileContents {
  readonly #window: Window;
  readonly #head = Buffer.alloc(HEAD_BYTES);
  /** Facts of inodes that other entries link to as well. */
  readonly #inodes = new Map<string, FileRead>();
  #inspection: Inspection | null = null;

  constructor(window: Window) {
    this.#window = window;
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
   * Opens what a file holds; its facts are complete afterwards. Other entries that link to the file
   * share what was found.
   */
  async open(
    inspection: Inspection,
    read: FileRead,
    name: ByteString,
    budget: Budget,
  ): Promise<ContentFacts> {
    const { held, facts } = read;
    if (held === null) return facts;
    read.held = null;
    try {
      return (read.facts = await (await inspection.containers()).open(name, facts, held.reader, budget));
    } finally {
      closeSync(held.fd);
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
    const { memory, start, size: room } = this.#window;
    let count = readSync(fd, memory, start, room, null);
    while (count < size && count < room) {
      const more = readSync(fd, memory, start + count, room - count, null);
      if (more === 0) break;
      count += more;
    }
    if (count < room) {
      const facts = inspection.contents.whole(name, start, start + count);
      return this.#read(fd, count < size ? withGap(facts, shrank(count, size)) : facts, count);
    }
    return this.#long(inspection, fd, name, count, size);
  }

  /** A file that is longer than the window, whose first `count` bytes are in it. */
  #long(inspection: Inspection, fd: number, name: ByteString, count: number, size: number): FileRead {
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
