import type { ByteString } from '../../model/bytes.ts';
import { NarScanError } from '../../model/errors.ts';
import { LIMITS } from '../../model/limits.ts';
import type { ContainerFault, ContainerItem, Member } from '../container.ts';
import { LITTLE_ENDIAN } from '../integers.ts';
import { isTellingName } from '../magic.ts';
import { corrupt, faultOf } from '../memberBody.ts';
import { fileContents } from './contents.ts';
import { gapOf } from './faults.ts';
import type { Fragment, Fragments } from './fragments.ts';
import type { Image } from './image.ts';
import { BASIC, basicType, readInode } from './inode.ts';
import type { FileInode, Inode } from './inode.ts';
import { Listing } from './listing.ts';
import type { Entry } from './listing.ts';
import { METADATA_BYTES } from './metadata.ts';
import type { MetadataCursor } from './metadata.ts';
import { tableItem } from './tables.ts';
import type { Tables } from './tables.ts';

type Items = AsyncGenerator<ContainerItem, void, undefined>;

/** Goes through all inodes of an image, and gives each content once. */
export class Walk {
  readonly #image: Image;
  readonly #tables: Tables;
  readonly #fragments: Fragments;
  /** Bits of the addresses of inodes that were read, by their blocks. */
  readonly #visited = new Map<number, Uint8Array>();
  /** Inodes are read that the root does not lead to: what they name may have come before them. */
  #astray = false;

  constructor(image: Image, tables: Tables, fragments: Fragments) {
    this.#image = image;
    this.#tables = tables;
    this.#fragments = fragments;
  }

  /** What the directories name from the root on, by its path, then what they do not. */
  async *items(): Items {
    try {
      const cursor = this.#tables.inodes.cursorAt(this.#image.superblock.root);
      this.#visit(cursor.address);
      const inode = await this.#read(cursor);
      if (inode.kind !== 'directory') yield gapOf(corrupt('squashfs', 32, 'the root is no directory'));
      yield* this.#tree(inode, '');
    } catch (error) {
      yield gapOf(error);
    }
    yield* this.#strays();
  }

  async #read(cursor: MetadataCursor): Promise<Inode> {
    return await readInode(cursor, this.#tables.inodes, this.#image.superblock.blockBytes);
  }

  #wrong(detail: string, path: ByteString): ContainerFault {
    return faultOf('corrupt', this.#tables.directories.start, detail, path);
  }

  /** @returns whether the inode was not read before */
  #visit(address: number): boolean {
    const block = Math.floor(address / METADATA_BYTES);
    const byte = address % METADATA_BYTES;
    let bits = this.#visited.get(block);
    if (bits === undefined) this.#visited.set(block, (bits = new Uint8Array(METADATA_BYTES / 8)));
    const mask = 1 << (byte & 7);
    const isNew = (bits[byte >>> 3]! & mask) === 0;
    bits[byte >>> 3]! |= mask;
    return isNew;
  }

  /** An inode, and everything below it. */
  async *#tree(root: Inode, path: ByteString): Items {
    const open: Listing[] = [];
    yield* this.#inode(root, path, open);
    for (let listing = open.at(-1); listing !== undefined; listing = open.at(-1)) {
      let entry: Entry | null = null;
      try {
        entry = await listing.next();
      } catch (error) {
        yield gapOf(error, listing.path);
      }
      if (entry === null) open.pop();
      else yield* this.#entry(entry, listing.path, open);
    }
  }

  async *#entry(entry: Entry, parent: ByteString, open: Listing[]): Items {
    const { name, type, inode: reference } = entry;
    const path = parent === '' ? name : `${parent}/${name}`;
    if (path.length > LIMITS.archiveNameBytes) {
      const detail = `a path of ${path.length} bytes, more than ${LIMITS.archiveNameBytes}`;
      yield faultOf('limit-size', this.#tables.directories.start, detail);
      return;
    }
    if (name === '.' || name === '..' || name.includes('/') || name.includes('\0')) {
      yield this.#wrong('a name that no entry can have', path);
    }
    try {
      const cursor = this.#tables.inodes.cursorAt(reference);
      const found = basicType(LITTLE_ENDIAN.u16(await cursor.copy().take(2), 0));
      if (found !== type) yield this.#wrong('the inode is of another type than its directory says', path);
      const isNew = this.#visit(cursor.address);
      // under another name it may be of another kind
      const isRead = isNew || found === BASIC.symlink || (found === BASIC.file && isTellingName(path));
      if (isRead) yield* this.#inode(await this.#read(cursor), path, open);
      else yield memberOf(path, found === BASIC.file ? 'file' : 'special');
      if (!isNew && found === BASIC.directory && !this.#astray)
        yield this.#wrong('a directory that stands in two places', path);
    } catch (error) {
      yield memberOf(path, 'special');
      yield gapOf(error, path);
    }
  }

  /** One inode that is read for the first time; a directory's listing is opened. */
  async *#inode(inode: Inode, path: ByteString, open: Listing[]): Items {
    if (inode.kind === 'file') {
      yield await this.#file(inode, path);
      return;
    }
    if (inode.kind === 'directory') {
      if (path !== '' || inode.index.length > 0) yield otherOf(inode, path);
      try {
        open.push(new Listing(path, inode, this.#tables.directories));
      } catch (error) {
        yield gapOf(error, path);
      }
      return;
    }
    yield otherOf(inode, path);
  }

  async #file(file: FileInode, path: ByteString): Promise<Member> {
    const { start, blocks, packedBytes, stored, tail } = file;
    const contents = fileContents(this.#image, this.#fragments, file);
    if (start + packedBytes <= this.#tables.inodes.start) this.#image.claimed.add(start, start + packedBytes);
    if (tail !== null) this.#fragments.take(tail.fragment, tail.offset, tail.bytes);
    if (blocks > 0) {
      const isWhole = stored && tail === null;
      return { ...memberOf(path, 'file'), contents, offset: start, packed: packedBytes, stored: isWhole };
    }
    if (tail === null) return memberOf(path, 'file');
    const block = await this.#fragmentOf(tail.fragment);
    if (block === null) return { ...memberOf(path, 'file'), contents };
    if (!block.packed) {
      return {
        ...memberOf(path, 'file'),
        contents,
        offset: block.start + tail.offset,
        stored: true,
        packed: tail.bytes,
      };
    }
    return { ...memberOf(path, 'file'), contents, offset: block.start, packed: block.length };
  }

  /** Null: it cannot be found, as reading the content will tell. */
  async #fragmentOf(fragment: number): Promise<Fragment | null> {
    try {
      return await this.#fragments.entry(fragment);
    } catch (error) {
      if (error instanceof NarScanError) return null;
      throw error;
    }
  }

  /** Inodes that no directory leads to, found by going through their table from its beginning to its end. */
  async *#strays(): Items {
    const { inodes } = this.#tables;
    const { inodes: announced } = this.#image.superblock;
    const cursor = inodes.cursorIn(0, 0);
    let count = 0;
    this.#astray = true;
    try {
      while (await cursor.settle()) {
        const { address } = cursor;
        const inode = await this.#read(cursor);
        count += 1;
        if (this.#visit(address)) yield* this.#tree(inode, `inode@${address}`);
      }
    } catch (error) {
      yield gapOf(error);
      // what cannot be told apart is searched as it is
      yield tableItem(inodes);
      return;
    }
    if (count !== announced) {
      yield gapOf(corrupt('squashfs', 4, `${count} inodes, and ${announced} are announced`));
    }
  }
}

function memberOf(name: ByteString, type: Member['type']): Member {
  return { item: 'member', name, type, target: '', offset: null, stored: false, contents: null };
}

/** What is no file: a link, a directory with the names of its index, or a name alone. */
function otherOf(inode: Exclude<Inode, FileInode>, path: ByteString): Member {
  if (inode.kind !== 'directory') return { ...memberOf(path, inode.kind), target: inode.target };
  const { index } = inode;
  return { ...memberOf(path, 'directory'), contents: index.length === 0 ? null : once(index) };
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  yield bytes;
}
