import type { ContainerFault, ContainerItem } from '../container.ts';
import { LITTLE_ENDIAN } from '../integers.ts';
import { corrupt } from '../memberBody.ts';
import { gapOf } from './faults.ts';
import type { Image } from './image.ts';
import { METADATA_BYTES, MetadataTable } from './metadata.ts';
import { SUPERBLOCK_BYTES } from './superblock.ts';

/** Bytes of one entry of a table. */
const ENTRY_BYTES = { fragments: 16, exports: 8, ids: 4, xattrs: 16 } as const;

/** Before the list of the blocks of extended attributes: where their values begin, how many there are. */
const XATTR_HEADER_BYTES = 16;
const PLACE_BYTES = 8;

/** All tables of an image. */
export interface Tables {
  readonly inodes: MetadataTable;
  readonly directories: MetadataTable;
  readonly fragments: MetadataTable | null;
  /** Those that nothing here needs: they are searched. */
  readonly others: readonly MetadataTable[];
  readonly faults: readonly ContainerFault[];
}

/**
 * Finds the tables of an image, which stand one behind another up to its end: inodes, directories,
 * tails, numbers, owners, extended attributes.
 *
 * @throws NarScanError CONTAINER_CORRUPT where there can be no inodes
 */
export function findTables(image: Image): Tables {
  const { places, bytes, fragments, inodes, ids, hasOptions } = image.superblock;
  if (!(places.inodes >= SUPERBLOCK_BYTES && places.inodes < places.directories)) {
    throw corrupt('squashfs', 64, 'the tables of inodes and directories overlap');
  }
  const faults: ContainerFault[] = [];
  const attempt = <Result>(find: () => Result): Result | null => {
    try {
      return find();
    } catch (error) {
      faults.push(gapOf(error));
      return null;
    }
  };
  const listed = (
    name: string,
    at: number | null,
    entries: number,
    entryBytes: number,
  ): MetadataTable | null =>
    at === null || entries === 0
      ? null
      : attempt(() => listedTable(image, name, at, entries * entryBytes, faults));
  const tails = listed('fragment', places.fragments, fragments, ENTRY_BYTES.fragments);
  const exported = listed('export', places.exports, inodes, ENTRY_BYTES.exports);
  const owners = listed('id', places.ids, ids, ENTRY_BYTES.ids);
  const { xattrs } = places;
  const attributes = xattrs === null ? [] : (attempt(() => xattrTables(image, xattrs, faults)) ?? []);
  const others = [exported, owners, ...attributes].filter((table) => table !== null);
  if (hasOptions) {
    const head = attempt(() => LITTLE_ENDIAN.u16(image.at(SUPERBLOCK_BYTES, 2, 'options'), 0) % 0x8000);
    const end = SUPERBLOCK_BYTES + 2 + (head ?? 0);
    others.unshift(new MetadataTable(image, 'options', SUPERBLOCK_BYTES, end));
  }
  const next = [tails, ...others].map((table) => table?.start ?? bytes);
  const starts = [...next, places.fragments, places.exports, places.ids, xattrs].map((at) => at ?? bytes);
  const end = Math.min(bytes, ...starts.filter((start) => start >= places.directories));
  const found = {
    inodes: new MetadataTable(image, 'inode', places.inodes, places.directories),
    directories: new MetadataTable(image, 'directory', places.directories, end),
  };
  faults.push(...faultsOf([found.inodes, found.directories, tails, ...others]));
  return { ...found, fragments: tails, others, faults };
}

function faultsOf(tables: readonly (MetadataTable | null)[]): readonly ContainerFault[] {
  return tables.flatMap((table) => {
    if (table === null || table.fault === null) return [];
    return [gapOf(table.fault)];
  });
}

/**
 * A table whose blocks are listed behind it: one place for each. They must be what stands there.
 * @throws NarScanError CONTAINER_* where the list lies outside the image
 */
function listedTable(
  image: Image,
  name: string,
  at: number,
  tableBytes: number,
  faults: ContainerFault[],
): MetadataTable {
  const count = Math.ceil(tableBytes / METADATA_BYTES);
  const place = (index: number): number =>
    LITTLE_ENDIAN.u64(image.at(at + PLACE_BYTES * index, PLACE_BYTES, `the list of the ${name} table`), 0);
  place(count - 1);
  const start = place(0);
  if (start < SUPERBLOCK_BYTES || start > at)
    throw corrupt('squashfs', at, `the ${name} table is behind its list`);
  const table = new MetadataTable(image, name, start, at);
  image.claimed.add(at, at + PLACE_BYTES * count);
  for (let index = 0; index < Math.max(count, table.blocks); index += 1) {
    if (index < count && index < table.blocks && place(index) === table.startOf(index)) continue;
    faults.push(gapOf(corrupt('squashfs', at, `the list of the ${name} table is not that of its blocks`)));
    break;
  }
  return table;
}

/** Extended attributes: their names and values, and which inode has which. */
function xattrTables(image: Image, at: number, faults: ContainerFault[]): readonly MetadataTable[] {
  const head = image.at(at, XATTR_HEADER_BYTES, 'the list of the xattr table');
  const start = LITTLE_ENDIAN.u64(head, 0);
  const count = LITTLE_ENDIAN.u32(head, 8);
  image.claimed.add(at, at + XATTR_HEADER_BYTES);
  if (count === 0) return [];
  const name = 'xattr id';
  const blocks = Math.ceil((count * ENTRY_BYTES.xattrs) / METADATA_BYTES);
  const list = at + XATTR_HEADER_BYTES;
  const first = LITTLE_ENDIAN.u64(image.at(list, PLACE_BYTES, `the list of the ${name} table`), 0);
  image.at(list + PLACE_BYTES * (blocks - 1), PLACE_BYTES, `the list of the ${name} table`);
  if (!(start >= SUPERBLOCK_BYTES && start <= first && first <= at)) {
    throw corrupt('squashfs', at, 'the tables of extended attributes overlap');
  }
  image.claimed.add(list, list + PLACE_BYTES * blocks);
  const table = new MetadataTable(image, name, first, at);
  if (table.blocks !== blocks)
    faults.push(gapOf(corrupt('squashfs', at, `the ${name} table has not the blocks that it lists`)));
  return [new MetadataTable(image, 'xattr', start, first), table];
}

/** The decoded tables, each as one content: inodes are read one by one, and are not among them. */
export function* tableItems({
  directories,
  fragments,
  others,
}: Tables): Generator<ContainerItem, void, undefined> {
  for (const table of [directories, fragments, ...others]) if (table !== null) yield tableItem(table);
}

/** A decoded table as a content. */
export function tableItem(table: MetadataTable): ContainerItem {
  return {
    item: 'member',
    name: `${table.name} table`,
    type: 'file',
    target: '',
    offset: table.start,
    stored: false,
    contents: table.contents(),
    packed: table.end - table.start,
    section: true,
  };
}
