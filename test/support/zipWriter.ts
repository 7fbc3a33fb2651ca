import { crc32, deflateRawSync } from 'node:zlib';
import { ByteWriter } from './byteWriter.ts';

/** Fields that both headers of a member have. */
interface ZipFields {
  readonly name: string;
  readonly flags: number;
  readonly method: number;
  readonly crc: number;
  readonly packed: number;
  readonly size: number;
  readonly extra: Uint8Array;
}

export interface ZipMember {
  /** One character a byte. */
  readonly name: string;
  readonly content?: Uint8Array | string;
  /** 8 (deflate) where not given; for others than 0 and 8 give `packed` too. */
  readonly method?: number;
  readonly flags?: number;
  readonly mode?: number;
  /** The data as they stand in the archive. */
  readonly packed?: Uint8Array;
  /** A data descriptor behind the data, and what of it. Sets flag bit 3, and zeros in the local header. */
  readonly descriptor?: 'signed' | 'plain' | 'signed64' | 'plain64';
  /** Only in the local header, or only in the central one. */
  readonly local?: Partial<ZipFields>;
  readonly central?: Partial<ZipFields> & { readonly offset?: number };
  /** Bytes before the local header. */
  readonly before?: Uint8Array;
  /** Whether the central directory lists it. */
  readonly hidden?: boolean;
}

export interface ZipShape {
  readonly prefix?: Uint8Array;
  /** Offsets count from the archive's beginning, not the file's. */
  readonly relative?: boolean;
  readonly comment?: Uint8Array;
  readonly suffix?: Uint8Array;
  /** Bytes between the last member and the central directory, and behind that. */
  readonly beforeDirectory?: Uint8Array;
  readonly afterDirectory?: Uint8Array;
  /** A ZIP64 end record, with placeholders in the other. */
  readonly wide?: boolean;
  /** As announced; else counted. */
  readonly entries?: number;
  readonly disk?: number;
  /** Order of the central directory: positions in the list of members. */
  readonly order?: readonly number[];
}

const NOTHING = new Uint8Array(0);

interface Placed {
  readonly member: ZipMember;
  readonly fields: ZipFields;
  readonly offset: number;
}

/** A zip archive, sound unless told otherwise. */
export function writeZip(members: readonly ZipMember[], shape: ZipShape = {}): Uint8Array {
  const out = new ByteWriter(false).raw(shape.prefix ?? NOTHING);
  const base = shape.relative === true ? out.length : 0;
  const placed = members.map((member) => writeLocal(out, member, base));
  out.raw(shape.beforeDirectory ?? NOTHING);
  const start = out.length;
  const order = shape.order ?? [...members.keys()];
  const listed = order.map((at) => placed[at]!).filter(({ member }) => member.hidden !== true);
  for (const { member, fields, offset } of listed) writeCentral(out, member, fields, offset);
  const bytes = out.length - start;
  out.raw(shape.afterDirectory ?? NOTHING);
  const entries = shape.entries ?? listed.length;
  if (shape.wide === true) writeWideEnd(out, entries, bytes, start - base);
  const narrow = (value: number, most: number): number =>
    shape.wide === true ? most : Math.min(value, most);
  out
    .u32(0x0605_4b50)
    .u16(shape.disk ?? 0)
    .u16(0);
  out.u16(narrow(entries, 0xffff)).u16(narrow(entries, 0xffff));
  out.u32(narrow(bytes, 0xffff_ffff)).u32(narrow(start - base, 0xffff_ffff));
  const comment = shape.comment ?? NOTHING;
  out
    .u16(comment.length)
    .raw(comment)
    .raw(shape.suffix ?? NOTHING);
  return out.bytes;
}

function fieldsOf(member: ZipMember): { fields: ZipFields; data: Uint8Array } {
  const content = Buffer.from(member.content ?? '');
  const method = member.method ?? 8;
  const data = member.packed ?? (method === 0 ? content : deflateRawSync(content));
  const fields = {
    name: member.name,
    flags: (member.flags ?? 0) | (member.descriptor === undefined ? 0 : 8),
    method,
    crc: crc32(content),
    packed: data.length,
    size: content.length,
    extra: NOTHING,
  };
  return { fields, data };
}

function writeLocal(out: ByteWriter, member: ZipMember, base: number): Placed {
  const { fields, data } = fieldsOf(member);
  out.raw(member.before ?? NOTHING);
  const offset = out.length - base;
  const later = member.descriptor === undefined ? {} : { crc: 0, packed: 0, size: 0 };
  const local = { ...fields, ...later, ...member.local };
  out.u32(0x0403_4b50).u16(20);
  writeShared(out, local);
  out.text(local.name).raw(local.extra).raw(data);
  if (member.descriptor !== undefined) {
    if (member.descriptor.startsWith('signed')) out.u32(0x0807_4b50);
    const wide = member.descriptor.endsWith('64');
    out.u32(fields.crc).word(wide, fields.packed).word(wide, fields.size);
  }
  return { member, fields, offset };
}

/** From the flags to the lengths of name and extra field. */
function writeShared(out: ByteWriter, { flags, method, crc, packed, size, name, extra }: ZipFields): void {
  out.u16(flags).u16(method).u16(0).u16(0x21);
  out.u32(crc).u32(packed).u32(size).u16(name.length).u16(extra.length);
}

function writeCentral(out: ByteWriter, member: ZipMember, fields: ZipFields, offset: number): void {
  const central = { ...fields, offset, ...member.central };
  out
    .u32(0x0201_4b50)
    .u16(3 * 256 + 20)
    .u16(20);
  writeShared(out, central);
  out
    .u16(0)
    .u16(0)
    .u16(0)
    .u32((member.mode ?? 0o100644) * 0x1_0000)
    .u32(central.offset);
  out.text(central.name).raw(central.extra);
}

function writeWideEnd(out: ByteWriter, entries: number, bytes: number, offset: number): void {
  const at = out.length;
  out.u32(0x0606_4b50).u64(44).u16(45).u16(45).u32(0).u32(0);
  out.u64(entries).u64(entries).u64(bytes).u64(offset);
  out.u32(0x0706_4b50).u32(0).u64(at).u32(1);
}
