import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  type Dirent,
  type Stats,
} from 'node:fs';
import { displayText, fsPath, type ByteString } from '../model/bytes.ts';
import { NarScanError } from '../model/errors.ts';
import { directoryHead, directoryTail, fileHead, fileTail, symlinkNode } from '../formats/nar/writer.ts';
import type { RangeReader } from '../formats/ranges.ts';
import type { ByteSource } from './byteSource.ts';
import { FileRange } from './fileContents.ts';

/** Never waits on a fifo, never follows a link that took the file's place. */
const OPEN = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** A node of the tree. */
interface Node {
  /** On disk. */
  readonly path: ByteString;
  /** Null for the root. */
  readonly name: ByteString | null;
  readonly depth: number;
}

interface OpenDirectory extends Node {
  readonly stats: Stats;
  /** In the order of their bytes. */
  readonly entries: readonly Dirent[];
  next: number;
}

interface OpenFile extends Node {
  readonly fd: number;
  readonly contents: Contents;
  left: number;
}

/** The contents of a file, and where in the NAR they begin. */
interface Contents {
  readonly path: ByteString;
  readonly stats: Stats;
  readonly offset: number;
}

/**
 * A tree on disk as the bytes of its NAR, the same that Nix makes of it (src/libutil/archive.cc), but
 * that names are taken as they are everywhere: Nix's suffix for case collisions is a part of the name.
 *
 * Synchronous, iterative; holds the names of the directories that are open. Nothing inside the tree is
 * followed. What is no tree of files, directories and links, cannot be read, or changes its size or
 * its place while it is read has no NAR: then every further read fails, too.
 */
export class TreeNar implements ByteSource, Disposable {
  readonly length = null;
  readonly #root: ByteString;
  readonly #directories: OpenDirectory[] = [];
  #file: OpenFile | null = null;
  #state: 'new' | 'begun' | 'done' = 'new';
  /** What stands before the next contents, or after the last. */
  #pending: Buffer = Buffer.alloc(0);
  #failure: NarScanError | null = null;
  /** Bytes given so far. */
  #offset = 0;
  /** By offset, the contents that begin in what the last call gave, or right after. */
  readonly #contents = new Map<number, Contents>();
  #reread: FileAgain | null = null;

  /** @param path of the tree on disk; not followed if it is a link */
  constructor(path: ByteString) {
    this.#root = path;
  }

  /** @throws NarScanError TREE_NOT_SERIALISABLE, with the system's error as its cause if there is one */
  read(memory: Uint8Array, at: number, length: number): number {
    if (this.#failure !== null) throw this.#failure;
    if (this.#state === 'done') return 0;
    this.#forget();
    const end = at + length;
    let place = at;
    try {
      while (place < end) {
        const count = this.#give(memory, place, end);
        if (count === null) break;
        place += count;
        this.#offset += count;
      }
    } catch (error) {
      this.#failure = failure(error, this.#inside());
      this.#close();
      throw this.#failure;
    }
    return place - at;
  }

  /**
   * Random access to the contents of a file that begin at `offset` in what the last call of
   * {@link read} gave; null for anything else. It gives nothing once the file is another.
   */
  range(offset: number, size: number): RangeReader | null {
    const contents = this.#contents.get(offset);
    if (contents === undefined || contents.stats.size !== size) return null;
    return {
      size,
      read: (from, length) => {
        if (this.#reread?.contents !== contents) {
          this.#reread?.[Symbol.dispose]();
          this.#reread = new FileAgain(contents);
        }
        return this.#reread.read(from, length);
      },
    };
  }

  [Symbol.dispose](): void {
    this.#close();
    this.#reread?.[Symbol.dispose]();
    this.#reread = null;
  }

  /** Puts bytes into memory[at, end) and says how many, or null at the end; the next may follow at once. */
  #give(memory: Uint8Array, at: number, end: number): number | null {
    if (this.#pending.length > 0) {
      const part = this.#pending.subarray(0, end - at);
      memory.set(part, at);
      this.#pending = this.#pending.subarray(part.length);
      return part.length;
    }
    if (this.#file !== null) return this.#readFile(this.#file, memory, at, end);
    return this.#next() ? 0 : null;
  }

  /** Takes the next node in hand, or ends a directory; false at the end of the tree. */
  #next(): boolean {
    if (this.#state === 'new') {
      this.#state = 'begun';
      this.#look({ path: this.#root, name: null, depth: 0 });
      return true;
    }
    const directory = this.#directories.at(-1);
    if (directory === undefined) {
      this.#state = 'done';
      return false;
    }
    const entry = directory.entries[directory.next++];
    if (entry === undefined) {
      this.#endDirectory(directory);
      return true;
    }
    const { path, depth } = directory;
    const node = { path: `${path}/${entry.name}`, name: entry.name, depth: depth + 1 };
    if (entry.isFile()) this.#openFile(node);
    else if (entry.isSymbolicLink()) this.#symlink(node);
    else this.#look(node);
    return true;
  }

  /** A node of a type that is not known, or a directory. */
  #look(node: Node): void {
    const stats = lstatSync(fsPath(node.path));
    if (stats.isDirectory()) {
      this.#pending = directoryHead(node);
      const entries = readdirSync(fsPath(node.path), { withFileTypes: true, encoding: 'latin1' });
      entries.sort(byName);
      this.#directories.push({ ...node, stats, entries, next: 0 });
    } else if (stats.isFile()) {
      this.#openFile(node);
    } else if (stats.isSymbolicLink()) {
      this.#symlink(node);
    } else {
      throw new NarScanError('TREE_NOT_SERIALISABLE', 'neither a file, a directory nor a symbolic link');
    }
  }

  #symlink(node: Node): void {
    this.#pending = symlinkNode(node, readlinkSync(fsPath(node.path), { encoding: 'latin1' }));
  }

  #endDirectory(directory: OpenDirectory): void {
    const { dev, ino, mtimeMs } = lstatSync(fsPath(directory.path));
    const { stats } = directory;
    if (dev !== stats.dev || ino !== stats.ino || mtimeMs !== stats.mtimeMs) changed('it');
    this.#directories.pop();
    this.#pending = directoryTail(directory);
  }

  #openFile(node: Node): void {
    const fd = openSync(fsPath(node.path), OPEN);
    try {
      const stats = fstatSync(fd);
      if (!stats.isFile()) changed('it');
      const { size, mode } = stats;
      // executable is what its owner may execute, as for Nix
      this.#pending = fileHead(node, (mode & constants.S_IXUSR) !== 0, size);
      const contents = { path: node.path, stats, offset: this.#offset + this.#pending.length };
      this.#contents.set(contents.offset, contents);
      this.#file = { ...node, fd, contents, left: size };
    } catch (error) {
      closeSync(fd);
      throw error;
    }
  }

  /** As much of the file as there is room for, and one byte more to see that it does not go on. */
  #readFile(file: OpenFile, memory: Uint8Array, at: number, end: number): number {
    const wanted = Math.min(file.left + 1, end - at);
    const count = readSync(file.fd, memory, at, wanted, null);
    if (count > file.left || (count === 0 && file.left > 0)) changed('its size');
    file.left -= count;
    // less than was asked for is the end of a regular file
    if (file.left === 0 && count < wanted) {
      closeSync(file.fd);
      this.#file = null;
      this.#pending = fileTail(file, file.contents.stats.size);
    }
    return count;
  }

  /** Contents that begin with what the next call gives are asked for after it. */
  #forget(): void {
    this.#contents.clear();
    const contents = this.#file?.contents;
    if (contents !== undefined && contents.offset >= this.#offset) {
      this.#contents.set(contents.offset, contents);
    }
  }

  /** Where it stands, inside the tree. */
  #inside(): ByteString {
    const node = this.#file ?? this.#directories.at(-1);
    if (node === undefined) return '';
    // the entry that was taken in hand last, unless it is the directory's end
    const entry = this.#file === null && 'entries' in node ? node.entries[node.next - 1] : undefined;
    const path = entry === undefined ? node.path : `${node.path}/${entry.name}`;
    return path.slice(this.#root.length + 1);
  }

  #close(): void {
    if (this.#file !== null) closeSync(this.#file.fd);
    this.#file = null;
  }
}

/** A file that is read once more, if it is still the same. */
class FileAgain implements Disposable {
  readonly contents: Contents;
  readonly #fd: number | null;
  readonly #range: FileRange | null;

  constructor(contents: Contents) {
    this.contents = contents;
    this.#fd = openSame(contents);
    this.#range = this.#fd === null ? null : new FileRange(this.#fd, 0, contents.stats.size);
  }

  read(offset: number, length: number): Uint8Array | null {
    return this.#range?.read(offset, length) ?? null;
  }

  [Symbol.dispose](): void {
    if (this.#fd !== null) closeSync(this.#fd);
  }
}

function openSame({ path, stats }: Contents): number | null {
  let fd: number;
  try {
    fd = openSync(fsPath(path), OPEN);
  } catch {
    return null;
  }
  const { dev, ino, size, mtimeMs } = fstatSync(fd);
  if (dev === stats.dev && ino === stats.ino && size === stats.size && mtimeMs === stats.mtimeMs) return fd;
  closeSync(fd);
  return null;
}

function byName({ name: one }: Dirent, { name: other }: Dirent): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}

function changed(what: string): never {
  throw new NarScanError('TREE_NOT_SERIALISABLE', `${what} changed while it was read`);
}

/** @param entry inside the tree, '' for its root */
function failure(error: unknown, entry: ByteString): NarScanError {
  const { code, syscall } = error as NodeJS.ErrnoException;
  const ours = error instanceof NarScanError;
  // anything but the system's refusal is a fault of this program
  if (!ours && (code === undefined || syscall === undefined)) throw error;
  const reason = ours ? error.message : `${code} at ${syscall}`;
  const where = entry === '' ? '' : ` at '${displayText(entry)}'`;
  return new NarScanError('TREE_NOT_SERIALISABLE', `it has no NAR${where}: ${reason}`, { cause: error });
}
