import type { ContainerItem } from '../container.ts';
import { streamOf } from '../container.ts';
import { byteAt, LITTLE_ENDIAN } from '../integers.ts';
import { faultOf } from '../memberBody.ts';
import type { RangeReader } from '../ranges.ts';
import { bytesAt } from '../zlib/piece.ts';
import { OVERLAPS, type Extents, type Part } from './extents.ts';
import { SECTOR_BYTES } from './record.ts';

const ENTRY_BYTES = 32;
/** Entries of a catalog that are looked at. */
const MOST_ENTRIES = 512;
/** Of a boot image without emulation the catalog says only how many of these are loaded at first. */
const LOAD_BYTES = 512;
/** Bytes of the floppies that are emulated, by the kind of medium. */
const FLOPPY_BYTES: Readonly<Record<number, number>> = { 1: 1_228_800, 2: 1_474_560, 3: 2_949_120 };

const VALIDATION = 0x01;
const SECTION = 0x90;
const LAST_SECTION = 0x91;
const EXTENSION = 0x44;

/**
 * What boots an image (El Torito 1.0) and is no file of it: it goes on up to the next file, for
 * nothing says how long it is.
 *
 * @param catalogs their sectors
 * @param end offset at which the image's volumes end
 * @throws NarScanError CONTAINER_LIMIT, CONTAINER_UNREADABLE
 */
export function* bootImages(
  reader: RangeReader,
  catalogs: readonly number[],
  extents: Extents,
  end: number,
): Generator<ContainerItem, void, undefined> {
  let looked = 0;
  for (const sector of catalogs) {
    const at = sector * SECTOR_BYTES;
    const catalog = readCatalog(Buffer.from(bytesAt(reader, at, MOST_ENTRIES * ENTRY_BYTES)));
    if (catalog === null) {
      yield faultOf('corrupt', at, 'no catalog of boot images lies here');
      continue;
    }
    const { images, isWhole } = catalog;
    if (!isWhole) yield faultOf('limit-entries', at, 'a catalog of boot images that goes on too long');
    for (const { offset, length } of images) {
      if (++looked > MOST_ENTRIES) {
        yield faultOf('limit-entries', at, 'too many boot images');
        return;
      }
      if (offset >= reader.size) yield faultOf('truncated', offset, 'a boot image lies outside the image');
      if (offset >= reader.size || extents.has(offset)) continue;
      const limit = Math.min(extents.after(offset), reader.size);
      const whole = Math.max(0, Math.min(limit, Math.max(offset + length, end)) - offset);
      if (extents.claim([{ offset, length: whole }], null) !== 'read') {
        yield faultOf('corrupt', offset, OVERLAPS);
        continue;
      }
      const contents = streamOf(reader, offset, whole);
      const name = `boot-image@${offset}`;
      yield { item: 'member', name, type: 'file', target: '', offset, stored: true, contents };
    }
  }
}

interface Catalog {
  readonly images: readonly Part[];
  readonly isWhole: boolean;
}

/** Reads a catalog, or null where it is none. */
function readCatalog(bytes: Buffer): Catalog | null {
  if (bytes.length < 2 * ENTRY_BYTES || bytes[0] !== VALIDATION) return null;
  if (bytes[30] !== 0x55 || bytes[31] !== 0xaa) return null;
  const images = [imageOf(bytes, ENTRY_BYTES)];
  let isLast = false;
  let left = 0;
  for (let at = 2 * ENTRY_BYTES; at + ENTRY_BYTES <= bytes.length; at += ENTRY_BYTES) {
    const id = byteAt(bytes, at);
    if (id === EXTENSION) continue;
    if (left > 0) {
      images.push(imageOf(bytes, at));
      left -= 1;
    } else if (!isLast && (id === SECTION || id === LAST_SECTION)) {
      isLast = id === LAST_SECTION;
      left = LITTLE_ENDIAN.u16(bytes, at + 2);
    } else return { images, isWhole: true };
  }
  return { images, isWhole: false };
}

/** Where an image that may boot begins, and how long it is at least. */
function imageOf(bytes: Buffer, at: number): Part {
  const floppy = FLOPPY_BYTES[byteAt(bytes, at + 1) & 0x0f];
  return {
    offset: LITTLE_ENDIAN.u32(bytes, at + 8) * SECTOR_BYTES,
    length: floppy ?? LITTLE_ENDIAN.u16(bytes, at + 6) * LOAD_BYTES,
  };
}
