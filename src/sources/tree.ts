import { lstatSync, readdirSync, readlinkSync, type Dirent, type Stats } from 'node:fs';
import { fsPath, type ByteString } from '../model/bytes.ts';
import { LIMITS } from '../model/limits.ts';
import type { Budget } from '../inspect/containers/budget.ts';
import { inspectSymlink } from '../inspect/symlink.ts';
import type { FactSink } from './factSink.ts';
import type { FileContents, FileRead } from './fileContents.ts';
import type { Inspection } from './inspection.ts';
import { refusalGap } from './refusal.ts';
import type { NarContent } from './sharedNar.ts';

/** How many files of one directory travel together. */
const BATCH = 32;

/**
 * A piece of a tree that can be scanned by itself: the root, a directory, or some files of one. Or the
 * contents of one file of a NAR: whoever parses that has counted its entry.
 */
export type TreePiece =
  | { readonly kind: 'root'; readonly path: ByteString }
  | {
      readonly kind: 'directory';
      readonly path: ByteString;
      readonly entry: ByteString;
      readonly depth: number;
    }
  | {
      readonly kind: 'files';
      readonly path: ByteString;
      readonly entry: ByteString;
      readonly names: readonly ByteString[];
    }
  | ({ readonly kind: 'content' } & NarContent);

/** A file that holds more than its plain bytes, or that takes long to read. */
interface Waiting {
  readonly entry: ByteString;
  readonly name: ByteString;
  readonly read: FileRead;
  readonly inspection: Inspection;
  readonly sink: FactSink;
}

/** Walks a tree piece by piece, following nothing inside it. */
export class TreeScanner {
  readonly #files: FileContents;
  readonly #wanted: () => boolean;
  readonly #passed: (bytes: number) => boolean;
  readonly #waiting: Waiting[] = [];

  /**
   * @param wanted whether others wait for work, so that a batch should be split
   * @param passed called as bytes of contents of NARs pass; true: the run was ended, stop
   */
  constructor(
    files: FileContents,
    wanted: () => boolean = () => false,
    passed: (bytes: number) => boolean = () => false,
  ) {
    this.#files = files;
    this.#wanted = wanted;
    this.#passed = passed;
  }

  /** Scans one piece; pieces inside it are given to `more`, facts to `sink`. Faults become gaps. */
  scan(piece: TreePiece, inspection: Inspection, sink: FactSink, more: (piece: TreePiece) => void): void {
    switch (piece.kind) {
      case 'root':
        return this.#root(piece.path, inspection, sink, more);
      case 'directory':
        return this.#directory(piece, inspection, sink, more);
      case 'files':
        return this.#batch(piece, inspection, sink, more);
      case 'content': {
        const { entry, name } = piece;
        const read = (): FileRead => this.#files.readStretch(inspection, piece, name, this.#passed);
        return this.#inspect(entry, name, inspection, sink, read);
      }
    }
  }

  /** Whether files of the pieces scanned so far wait for {@link open}. */
  get waits(): boolean {
    return this.#waiting.length > 0;
  }

  /** Reads what is left of the files that were scanned, and opens their containers; to be called after each piece. */
  async open(budget: Budget): Promise<void> {
    for (let next = this.#waiting.pop(); next !== undefined; next = this.#waiting.pop()) {
      const { entry, name, read, inspection, sink } = next;
      const { stats } = sink;
      const before = budget.expandedHere;
      const { bytes } = read;
      try {
        sink.content(entry, await this.#files.open(inspection, read, name, budget));
      } finally {
        stats.bytes += read.bytes - bytes;
        stats.expandedBytes += budget.expandedHere - before;
      }
    }
  }

  /** Files one by one; when others wait, for work or for their turn, the rest is given up in two halves. */
  #batch(
    piece: TreePiece & { kind: 'files' },
    inspection: Inspection,
    sink: FactSink,
    more: (piece: TreePiece) => void,
  ): void {
    const { path, entry, names } = piece;
    const inOutput = path.length - entry.length + (entry === '' ? 1 : 0);
    for (let index = 0; index < names.length; index++) {
      const file = `${path}/${names[index]}`;
      // a part of the path, for joining it anew would copy it
      this.#file(file, file.slice(inOutput), inspection, sink);
      if (!this.#wanted()) continue;
      const half = (index + 1 + names.length) >> 1;
      for (const rest of [names.slice(index + 1, half), names.slice(half)]) {
        if (rest.length > 0) more({ kind: 'files', path, entry, names: rest });
      }
      return;
    }
  }

  #root(path: ByteString, inspection: Inspection, sink: FactSink, more: (piece: TreePiece) => void): void {
    const stats = attempt(sink, '', () => lstatSync(fsPath(path)));
    if (stats === null) return;
    sink.stats.entries++;
    if (stats.isDirectory()) return this.#directory({ path, entry: '', depth: 0 }, inspection, sink, more);
    this.#leaf(typeOf(stats), path, '', inspection, sink);
  }

  #directory(
    { path, entry, depth }: { path: ByteString; entry: ByteString; depth: number },
    inspection: Inspection,
    sink: FactSink,
    more: (piece: TreePiece) => void,
  ): void {
    const listing = attempt(sink, entry, () =>
      readdirSync(fsPath(path), { withFileTypes: true, encoding: 'latin1' }),
    );
    if (listing === null) return;
    let names: ByteString[] = [];
    for (const dirent of listing) {
      const { name } = dirent;
      sink.stats.entries++;
      const isDirectory = dirent.isDirectory();
      const named = inspection.names.inspect(entry, name, isDirectory);
      if (named !== null) sink.finding(join(entry, name), named);
      if (dirent.isFile()) {
        names.push(name);
        if (names.length === BATCH) {
          more({ kind: 'files', path, entry, names });
          names = [];
        }
      } else if (isDirectory) {
        this.#descend(path, entry, name, depth, sink, more);
      } else {
        this.#other(dirent, path, entry, depth, inspection, sink, more);
      }
    }
    if (names.length > 0) more({ kind: 'files', path, entry, names });
  }

  #descend(
    path: ByteString,
    entry: ByteString,
    name: ByteString,
    depth: number,
    sink: FactSink,
    more: (piece: TreePiece) => void,
  ): void {
    const inner = join(entry, name);
    if (depth + 1 < LIMITS.treeDepth)
      more({ kind: 'directory', path: `${path}/${name}`, entry: inner, depth: depth + 1 });
    else
      sink.gap(inner, {
        reason: 'limit-depth',
        offset: null,
        detail: `more than ${LIMITS.treeDepth} directories deep`,
      });
  }

  /** What is neither a file nor a directory, or of a type that the file system did not tell. */
  #other(
    dirent: Dirent,
    path: ByteString,
    entry: ByteString,
    depth: number,
    inspection: Inspection,
    sink: FactSink,
    more: (piece: TreePiece) => void,
  ): void {
    const { name } = dirent;
    const inner = join(entry, name);
    let type = typeOf(dirent);
    if (type === 'unknown') {
      const stats = attempt(sink, inner, () => lstatSync(fsPath(`${path}/${name}`)));
      if (stats === null) return;
      if (stats.isDirectory()) return this.#descend(path, entry, name, depth, sink, more);
      type = typeOf(stats);
    }
    this.#leaf(type, `${path}/${name}`, inner, inspection, sink);
  }

  #leaf(type: LeafType, path: ByteString, entry: ByteString, inspection: Inspection, sink: FactSink): void {
    if (type === 'file') return this.#file(path, entry, inspection, sink);
    if (type !== 'symlink') {
      sink.gap(entry, { reason: 'special-file', offset: null, detail: `a ${type} was not opened` });
      return;
    }
    const target = attempt(sink, entry, () => readlinkSync(fsPath(path), { encoding: 'latin1' }));
    if (target === null) return;
    for (const finding of inspectSymlink(entry, target, inspection.set, inspection.classifier))
      sink.finding(entry, finding);
  }

  #file(path: ByteString, entry: ByteString, inspection: Inspection, sink: FactSink): void {
    // not the last component alone: a loose git object is told by the folders it lies in
    const name = entry === '' ? path : entry;
    sink.stats.files++;
    this.#inspect(entry, name, inspection, sink, () => this.#files.read(inspection, path, name));
  }

  #inspect(
    entry: ByteString,
    name: ByteString,
    inspection: Inspection,
    sink: FactSink,
    act: () => FileRead,
  ): void {
    const read = attempt(sink, entry, act);
    if (read === null) return;
    sink.stats.bytes += read.bytes;
    if (read.held !== null) this.#waiting.push({ entry, name, read, inspection, sink });
    else if (read.facts.findings.length > 0 || read.facts.gaps.length > 0) sink.content(entry, read.facts);
  }
}

type LeafType = 'file' | 'symlink' | 'fifo' | 'socket' | 'device' | 'unknown';

function typeOf(of: Dirent | Stats): LeafType {
  if (of.isFile()) return 'file';
  if (of.isSymbolicLink()) return 'symlink';
  if (of.isFIFO()) return 'fifo';
  if (of.isSocket()) return 'socket';
  return of.isCharacterDevice() || of.isBlockDevice() ? 'device' : 'unknown';
}

function join(parent: ByteString, name: ByteString): ByteString {
  return parent === '' ? name : `${parent}/${name}`;
}

/** What `act` returns, or null and a gap where the system refuses. */
function attempt<T>(sink: FactSink, entry: ByteString, act: () => T): T | null {
  try {
    return act();
  } catch (error) {
    sink.gap(entry, refusalGap(error));
    return null;
  }
}
