import type { ContainerFault } from '../container.ts';
import { LITTLE_ENDIAN } from '../integers.ts';
import { byteStringOf, faultOf } from '../memberBody.ts';
import type { RangeReader } from '../ranges.ts';
import { bytesAt } from '../zlib/piece.ts';
import { readRecord, SECTOR_BYTES } from './record.ts';
import type { DirectoryRecord } from './record.ts';

/** Sixteen sectors are the system's: what boots the image, partition tables. */
const DESCRIPTORS_AT = 16 * SECTOR_BYTES;
const MOST_DESCRIPTORS = 64;
/** Sectors behind the descriptors of a volume in which those of UDF are looked for. */
const UDF_SECTORS = 32;
/** The sector that says where an UDF file system lies. */
const UDF_ANCHOR = 256;

const BOOT = 0;
const PRIMARY = 1;
const SUPPLEMENTARY = 2;
const TERMINATOR = 255;

const EL_TORITO = 'EL TORITO SPECIFICATION';

/** A tree of directories of an image. */
export interface Volume {
  /** Joliet: names are in UCS-2, big endian. */
  readonly joliet: boolean;
  /** Bytes of a block, in which places are counted. */
  readonly blockBytes: number;
  /** Offset at which the volume says that it ends. */
  readonly end: number;
  readonly root: DirectoryRecord;
}

/** What the volume descriptors of an image say. */
export interface Volumes {
  readonly volumes: readonly Volume[];
  /** Sectors of the catalogs of what boots the image. */
  readonly bootCatalogs: readonly number[];
  readonly faults: readonly ContainerFault[];
}

/** Reads the volume descriptors (ECMA-119, 8). @throws NarScanError CONTAINER_UNREADABLE */
export function readVolumes(reader: RangeReader): Volumes {
  const volumes: Volume[] = [];
  const bootCatalogs: number[] = [];
  const faults: ContainerFault[] = [];
  let at = DESCRIPTORS_AT;
  for (let count = 0; ; count += 1, at += SECTOR_BYTES) {
    const sector = Buffer.from(bytesAt(reader, at, SECTOR_BYTES));
    if (sector.length < SECTOR_BYTES || count >= MOST_DESCRIPTORS || standardId(sector) !== 'CD001') {
      const reason = sector.length < SECTOR_BYTES ? 'truncated' : 'corrupt';
      faults.push(faultOf(reason, at, 'the volume descriptors have no end'));
      break;
    }
    const type = sector[0];
    if (type === TERMINATOR) break;
    if (type === BOOT && byteStringOf(sector, 7, 7 + EL_TORITO.length) === EL_TORITO) {
      bootCatalogs.push(LITTLE_ENDIAN.u32(sector, 71));
    }
    if (type !== PRIMARY && type !== SUPPLEMENTARY) continue;
    const volume = readVolume(sector, at);
    if (volume === null) faults.push(faultOf('corrupt', at, 'a volume descriptor makes no sense'));
    else volumes.push(volume);
  }
  if (volumes.length === 0) faults.push(faultOf('corrupt', DESCRIPTORS_AT, 'the image has no volume'));
  if (hasUdf(reader, at)) {
    faults.push(faultOf('unsupported', at, 'the UDF file system of the image was not read'));
  }
  return { volumes, bootCatalogs, faults };
}

function standardId(sector: Buffer): string {
  return sector.toString('latin1', 1, 6);
}

function readVolume(sector: Buffer, at: number): Volume | null {
  const blockBytes = LITTLE_ENDIAN.u16(sector, 128);
  const root = readRecord(sector.subarray(0, 190), 156, at);
  if (![512, 1024, 2048].includes(blockBytes) || root === null) return null;
  // three levels of UCS-2
  const joliet = sector[0] === SUPPLEMENTARY && /^%\/[@CE]/.test(sector.toString('latin1', 88, 91));
  return { joliet, blockBytes, end: LITTLE_ENDIAN.u32(sector, 80) * blockBytes, root };
}

/** Whether UDF's own descriptors stand behind those of the volume (ECMA-167, 2/9), or its anchor in its place (3/8.4). */
function hasUdf(reader: RangeReader, from: number): boolean {
  const sectors = bytesAt(reader, from, UDF_SECTORS * SECTOR_BYTES);
  for (let at = 1; at < sectors.length; at += SECTOR_BYTES) {
    const id = byteStringOf(sectors, at, at + 5);
    if (id === 'NSR02' || id === 'NSR03') return true;
  }
  const anchor = bytesAt(reader, UDF_ANCHOR * SECTOR_BYTES, 16);
  return LITTLE_ENDIAN.u16(anchor, 0) === 2 && LITTLE_ENDIAN.u32(anchor, 12) === UDF_ANCHOR;
}
