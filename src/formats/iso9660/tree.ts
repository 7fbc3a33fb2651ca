import type { ByteString } from '../../model/bytes.ts';
import { LIMITS } from '../../model/limits.ts';
import type { ContainerItem, Member, MemberType } from '../container.ts';
import { streamOf } from '../container.ts';
import { sniffName } from '../magic.ts';
import { faultOf } from '../memberBody.ts';
import type { RangeReader } from '../ranges.ts';
import { bytesAt } from '../zlib/piece.ts';
import { OVERLAPS, type Extents, type Part } from './extents.ts';
import { isBadName, nameOf } from './names.ts';
import { FLAG, isSelfOrParent, recordsOf, SECTOR_BYTES } from './record.ts';
import type { DirectoryRecord } from './record.ts';
import { NO_SYSTEM_USE, readSystemUse } from './rockRidge.ts';
import type { SystemUse } from './rockRidge.ts';
import type { Volume } from './volume.ts';

type Items = Generator<ContainerItem, void, undefined>;

/** Extents of one file: 16 TiB. */
const MOST_PARTS = 4096;
/** First bytes of a file, for kinds that are told by the name. */
const HEAD_BYTES = 64;

const FILE_MODE = 0o100000;
const TYPES: Readonly<Record<number, MemberType>> = { 0o04: 'directory', 0o10: 'file', 0o12: 'symlink' };

/** A directory that is being read. */
interface OpenDirectory {
  /** '' for the root; else it ends in a slash. */
  readonly path: ByteString;
  readonly records: ReturnType<typeof recordsOf>;
  /** The parts so far of a file that lies in several. */
  parts: DirectoryRecord[];
}

/** A directory that says that it belongs elsewhere. */
interface Relocated {
  readonly path: ByteString;
  readonly record: DirectoryRecord;
}

/** What the first record of a volume's root says of all others; null where Rock Ridge is not in use. */
export function rockRidgeSkip(reader: RangeReader, { joliet, blockBytes, root }: Volume): number | null {
  if (joliet) return null;
  const { value } = recordsOf(reader, root.block * blockBytes, SECTOR_BYTES, blockBytes).next();
  if (value === undefined || 'item' in value) return null;
  return readSystemUse(reader, blockBytes, value, 0).skip;
}

/** One tree of an image, walked from its root. Each directory is read once. */
export class Tree {
  readonly #reader: RangeReader;
  readonly #volume: Volume;
  readonly #extents: Extents;
  readonly #skip: number;
  /** Offsets of the directories that were read. */
  readonly #entered = new Set<number>();
  readonly #stack: OpenDirectory[] = [];
  readonly #relocated: Relocated[] = [];

  constructor(reader: RangeReader, volume: Volume, extents: Extents) {
    this.#reader = reader;
    this.#volume = volume;
    this.#extents = extents;
    this.#skip = rockRidgeSkip(reader, volume) ?? 0;
  }

  /** @throws NarScanError CONTAINER_LIMIT, CONTAINER_UNREADABLE */
  *items(): Items {
    const { root } = this.#volume;
    if (root.ambiguous) yield faultOf('corrupt', root.at, 'the copies of a number differ');
    yield* this.#enter('', root.block, root.size, root.at);
    for (;;) {
      const top = this.#stack.at(-1);
      if (top === undefined) {
        // whatever no other directory leads to
        const next = this.#relocated.pop();
        if (next === undefined) return;
        const { path, record } = next;
        if (!this.#entered.has(this.#offsetOf(record.block))) yield* this.#directory(path, record);
        continue;
      }
      const { done, value } = top.records.next();
      if (done === true) {
        if (top.parts.length > 0) yield* this.#broken(top);
        this.#stack.pop();
      } else if ('item' in value) yield value;
      else yield* this.#record(top, value);
    }
  }

  #recordsOf(offset: number, size: number): ReturnType<typeof recordsOf> {
    return recordsOf(this.#reader, offset, size, this.#volume.blockBytes);
  }

  #offsetOf(block: number): number {
    return block * this.#volume.blockBytes;
  }

  *#record(directory: OpenDirectory, record: DirectoryRecord): Items {
    if (isSelfOrParent(record)) return;
    if (record.ambiguous) yield faultOf('corrupt', record.at, 'the copies of a number differ');
    const [first] = directory.parts;
    if (first !== undefined && !first.name.equals(record.name)) yield* this.#broken(directory);
    if ((record.flags & FLAG.directory) === 0) {
      directory.parts.push(record);
      const goesOn = (record.flags & FLAG.more) !== 0;
      if (goesOn && directory.parts.length < MOST_PARTS) return;
      if (goesOn) yield faultOf('limit-entries', record.at, `a file of more than ${MOST_PARTS} parts`);
      const { parts } = directory;
      directory.parts = [];
      yield* this.#file(directory.path, parts);
      return;
    }
    const use = this.#systemUse(record);
    const path = yield* this.#path(directory.path, record, use);
    if (use.relocated) this.#relocated.push({ path, record });
    else yield* this.#directory(path, record);
  }

  /** A file whose last part never came. */
  *#broken(directory: OpenDirectory): Items {
    const { parts } = directory;
    directory.parts = [];
    yield faultOf('corrupt', parts[0]?.at ?? 0, 'a file in several parts has no last one');
    yield* this.#file(directory.path, parts);
  }

  #systemUse(record: DirectoryRecord): SystemUse {
    const { joliet, blockBytes } = this.#volume;
    return joliet ? NO_SYSTEM_USE : readSystemUse(this.#reader, blockBytes, record, this.#skip);
  }

  /** Where a record stands in the tree, and what is wrong with that. */
  *#path(
    directory: ByteString,
    record: DirectoryRecord,
    use: SystemUse,
  ): Generator<ContainerItem, ByteString, undefined> {
    yield* use.faults;
    const name = use.name ?? nameOf(record, this.#volume.joliet);
    const path = directory + name;
    if (isBadName(name)) yield faultOf('corrupt', record.at, 'a name that no file can have', path);
    return path;
  }

  *#directory(path: ByteString, { block, size, at }: DirectoryRecord): Items {
    yield this.#member(path, 'directory', []);
    yield* this.#enter(`${path}/`, block, size, at);
  }

  /** @param at offset of the record that leads there */
  *#enter(path: ByteString, block: number, size: number, at: number): Items {
    const offset = this.#offsetOf(block);
    if (path.length > LIMITS.archiveNameBytes) {
      yield faultOf('limit-size', at, 'a directory whose path is too long was not read');
    } else if (this.#entered.has(offset)) {
      yield faultOf('corrupt', at, 'leads to a directory that another one leads to');
    } else if (this.#extents.enter(offset, size)) {
      this.#entered.add(offset);
      this.#stack.push({ path, records: this.#recordsOf(offset, size), parts: [] });
    } else yield faultOf('corrupt', at, OVERLAPS);
  }

  *#file(directory: ByteString, records: readonly DirectoryRecord[]): Items {
    const [record] = records;
    if (record === undefined) return;
    const use = this.#systemUse(record);
    const path = yield* this.#path(directory, record, use);
    if (use.child !== null) {
      const { value } = this.#recordsOf(this.#offsetOf(use.child), SECTOR_BYTES).next();
      if (value !== undefined && !('item' in value)) {
        return yield* this.#directory(path, { ...value, block: use.child, at: record.at });
      }
      yield faultOf('corrupt', record.at, 'leads to no directory', path);
    }
    const type =
      use.target === null ? (TYPES[((use.mode ?? FILE_MODE) >> 12) & 0o17] ?? 'special') : 'symlink';
    const parts = this.#partsOf(records);
    const [first] = parts;
    const interleaved = records.some(({ interleaved }) => interleaved);
    if (first === undefined || interleaved) {
      yield this.#member(path, type, [], use.target);
      if (interleaved) yield faultOf('unsupported', record.at, 'a file that others lie in between', path);
      return;
    }
    const head = bytesAt(this.#reader, first.offset, Math.min(HEAD_BYTES, first.length));
    const kind = sniffName(path, head, 0, head.length);
    const claim = this.#extents.claim(parts, kind);
    yield this.#member(path, type, claim === 'read' ? this.#available(parts) : [], use.target);
    if (claim === 'spent') yield faultOf('corrupt', record.at, OVERLAPS, path);
    if (parts.some((part) => part.offset + part.length > this.#reader.size)) {
      yield faultOf('truncated', record.at, 'a file lies outside the image', path);
    }
  }

  /** Where a file lies; parts that follow one another are one. */
  #partsOf(records: readonly DirectoryRecord[]): readonly Part[] {
    const parts: Part[] = [];
    for (const { block, size } of records) {
      const offset = this.#offsetOf(block);
      const last = parts.at(-1);
      if (size === 0) continue;
      if (last !== undefined && last.offset + last.length === offset) {
        parts[parts.length - 1] = { offset: last.offset, length: last.length + size };
      } else parts.push({ offset, length: size });
    }
    return parts;
  }

  /** As much of the parts as the image has. */
  #available(parts: readonly Part[]): readonly Part[] {
    const { size } = this.#reader;
    return parts
      .filter(({ offset }) => offset < size)
      .map(({ offset, length }) => ({ offset, length: Math.min(length, size - offset) }));
  }

  #member(
    name: ByteString,
    type: MemberType,
    parts: readonly Part[],
    target: ByteString | null = null,
  ): Member {
    const [first] = parts;
    return {
      item: 'member',
      name,
      type,
      target: target ?? '',
      offset: first?.offset ?? null,
      stored: parts.length <= 1,
      contents: first === undefined ? null : partsOf(this.#reader, parts),
    };
  }
}

async function* partsOf(reader: RangeReader, parts: readonly Part[]): AsyncGenerator<Uint8Array> {
  for (const { offset, length } of parts) yield* streamOf(reader, offset, length);
}
