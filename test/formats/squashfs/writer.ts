/** Bytes of a block of contents in the images that are written here, and how that is said. */
export const BLOCK_BYTES = 1024 * 1024;
const BLOCK_LOG = 20;
const NO_TABLE = (1n << 64n) - 1n;
const SUPERBLOCK_BYTES = 96;

interface File {
  readonly bytes: number;
  /** Where its blocks begin, and the lengths of them as an inode lists them. */
  readonly start?: number;
  readonly words?: readonly number[];
  /** The block of tails in which it ends, and where. */
  readonly tail?: readonly [fragment: number, offset: number];
}

/** An inode: a file, or a directory with the names and numbers of what is in it. */
export type Node = File | { readonly entries: readonly (readonly [name: string, node: number])[] };

const isFile = (node: Node): node is File => 'bytes' in node;

/** A table in blocks that are not packed. */
function table(content: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < content.length; at += 8192) {
    const block = content.subarray(at, at + 8192);
    const head = Buffer.alloc(2);
    head.writeUInt16LE(0x8000 + block.length);
    parts.push(head, block);
  }
  return Buffer.concat(parts);
}

/** Where a byte of a table stands: its block, each of which has two bytes before it, and the byte in that. */
const placeOf = (at: number): readonly [block: number, offset: number] => [
  Math.floor(at / 8192) * 8194,
  at % 8192,
];

const inodeBytes = (node: Node): number => (isFile(node) ? 32 + 4 * (node.words ?? []).length : 40);

function fileInode({ bytes, start = 0, words = [], tail }: File): Buffer {
  const inode = Buffer.alloc(32 + 4 * words.length);
  inode.writeUInt16LE(2);
  inode.writeUInt32LE(start, 16);
  inode.writeUInt32LE(tail?.[0] ?? 0xffff_ffff, 20);
  inode.writeUInt32LE(tail?.[1] ?? 0, 24);
  inode.writeUInt32LE(bytes, 28);
  for (const [index, word] of words.entries()) inode.writeUInt32LE(word, 32 + 4 * index);
  return inode;
}

function directoryInode(listingAt: number, listingBytes: number): Buffer {
  const inode = Buffer.alloc(40);
  const [block, offset] = placeOf(listingAt);
  inode.writeUInt16LE(8);
  inode.writeUInt32LE(listingBytes + 3, 20);
  inode.writeUInt32LE(block, 24);
  inode.writeUInt16LE(offset, 34);
  return inode;
}

function entryBytes(name: string, type: number, at: number): Buffer {
  const [block, offset] = placeOf(at);
  const bytes = Buffer.alloc(20);
  bytes.writeUInt32LE(block, 4);
  bytes.writeUInt16LE(offset, 12);
  bytes.writeUInt16LE(type, 16);
  bytes.writeUInt16LE(name.length - 1, 18);
  return Buffer.concat([bytes, Buffer.from(name, 'latin1')]);
}

/** A table with the list of its blocks behind it, and where that list begins. */
function listed(content: Buffer, from: number): { readonly bytes: Buffer; readonly list: number } {
  const blocks = table(content);
  const places = Buffer.alloc(8 * Math.ceil(content.length / 8192));
  for (let at = 0; at < places.length; at += 8) places.writeBigUInt64LE(BigInt(from + (at / 8) * 8194), at);
  return { bytes: Buffer.concat([blocks, places]), list: from + blocks.length };
}

/**
 * An image of version 4.0 in zlib that no program would write, with tables that are not packed.
 *
 * @param nodes the last one is the root
 * @param data stands behind the superblock, at byte 96
 * @param tails packed blocks of tails, behind that
 */
export function writeImage(
  nodes: readonly Node[],
  { data = new Uint8Array(0), tails = [] }: { data?: Uint8Array; tails?: readonly Buffer[] } = {},
): Buffer {
  const places: number[] = [];
  let inodesEnd = 0;
  for (const node of nodes) {
    places.push(inodesEnd);
    inodesEnd += inodeBytes(node);
  }
  const inodes: Buffer[] = [];
  const listings: Buffer[] = [];
  let listingAt = 0;
  for (const node of nodes) {
    if (isFile(node)) {
      inodes.push(fileInode(node));
      continue;
    }
    const listing = Buffer.concat(
      node.entries.map(([name, to]) => entryBytes(name, isFile(nodes[to]!) ? 2 : 1, places[to]!)),
    );
    inodes.push(directoryInode(listingAt, listing.length));
    listings.push(listing);
    listingAt += listing.length;
  }
  let end = SUPERBLOCK_BYTES + data.length;
  const fragments = tails.map((packed) => {
    const entry = Buffer.alloc(16);
    entry.writeBigUInt64LE(BigInt(end));
    entry.writeUInt32LE(packed.length, 8);
    end += packed.length;
    return entry;
  });
  const inodeTable = table(Buffer.concat(inodes));
  const directoryTable = table(Buffer.concat(listings));
  const directories = end + inodeTable.length;
  const tailTable = listed(Buffer.concat(fragments), directories + directoryTable.length);
  const owners = listed(Buffer.alloc(4), directories + directoryTable.length + tailTable.bytes.length);
  const head = Buffer.alloc(SUPERBLOCK_BYTES);
  head.write('hsqs', 'latin1');
  head.writeUInt32LE(nodes.length, 4);
  head.writeUInt32LE(BLOCK_BYTES, 12);
  head.writeUInt32LE(fragments.length, 16);
  for (const [index, word] of [1, BLOCK_LOG, 0, 1, 4, 0].entries()) head.writeUInt16LE(word, 20 + 2 * index);
  const [block, offset] = placeOf(places.at(-1) ?? 0);
  const used = owners.list + 8;
  const words = [block * 0x1_0000 + offset, used, owners.list].map(BigInt);
  const tables = [end, directories, tailTable.list].map(BigInt);
  for (const [index, word] of [...words, NO_TABLE, ...tables, NO_TABLE].entries()) {
    head.writeBigUInt64LE(word, 32 + 8 * index);
  }
  return Buffer.concat([head, data, ...tails, inodeTable, directoryTable, tailTable.bytes, owners.bytes]);
}
