import { ByteWriter } from './byteWriter.ts';

/** What a hand-made PE file is to hold. */
export interface PeRecipe {
  readonly wide: boolean;
  /** Entries of the debug directory: their type and data. */
  readonly debug?: readonly { readonly type: number; readonly data: Uint8Array }[];
  /** Entries name their data by address only, or by file offset only. */
  readonly placed?: 'both' | 'address' | 'offset';
  /** Further sections; names of more than eight bytes go into the table of long names. */
  readonly sections?: readonly { readonly name: string; readonly bytes: Uint8Array }[];
  /** Bytes of filler before the section that holds the debug directory, and behind the directory. */
  readonly fillerBefore?: number;
  readonly fillerBehind?: number;
  /** Where the PE header stands. */
  readonly headerAt?: number;
}

const BLOCK = 512;
const PAGE = 4096;
/** Addresses of sections are their file offsets and this, so that the two are never mixed up unseen. */
const SHIFT = 0x10_0000;

const aligned = (value: number, to: number): number => Math.ceil(value / to) * to;

/** CodeView data of the newer form. */
export function rsds(path: string): Uint8Array {
  return new Uint8Array(Buffer.concat([Buffer.from('RSDS'), Buffer.alloc(20, 7), Buffer.from(`${path}\0`)]));
}

/** CodeView data of the older form. */
export function nb10(path: string): Uint8Array {
  return new Uint8Array(Buffer.concat([Buffer.from('NB10'), Buffer.alloc(12, 7), Buffer.from(`${path}\0`)]));
}

/** Writes a PE file: DOS header, PE header, section headers, `.rdata` with the debug directory, sections. */
export function writePe(recipe: PeRecipe): Uint8Array {
  const { wide, debug = [], placed = 'both', sections = [], headerAt = 128 } = recipe;
  const optionalBytes = (wide ? 112 : 96) + 16 * 8;
  const count = 1 + sections.length;
  const headerBytes = aligned(headerAt + 24 + optionalBytes + count * 40, BLOCK);

  const rdataAt = aligned(headerBytes + (recipe.fillerBefore ?? 0), BLOCK);
  const rdata = new ByteWriter(false);
  const directoryBytes = debug.length * 28;
  let dataAt = rdataAt + directoryBytes + (recipe.fillerBehind ?? 0);
  for (const { type, data } of debug) {
    rdata.u32(0).u32(0).u32(0).u32(type).u32(data.length);
    rdata.u32(placed === 'offset' ? 0 : dataAt + SHIFT).u32(placed === 'address' ? 0 : dataAt);
    dataAt += data.length;
  }
  rdata.padTo(directoryBytes + (recipe.fillerBehind ?? 0));
  for (const { data } of debug) rdata.raw(data);
  rdata.padTo(Math.max(aligned(rdata.length, BLOCK), BLOCK));

  const names = new ByteWriter(false);
  const rows = [{ name: '.rdata', at: rdataAt, bytes: rdata.bytes }];
  for (const { name, bytes } of sections) {
    const last = rows.at(-1);
    const at = aligned((last?.at ?? 0) + (last?.bytes.length ?? 0), BLOCK);
    const short = name.length <= 8 ? name : `/${4 + names.length}`;
    if (name.length > 8) names.text(`${name}\0`);
    rows.push({ name: short, at, bytes });
  }
  const last = rows.at(-1);
  const symbolsAt = aligned((last?.at ?? 0) + (last?.bytes.length ?? 0), BLOCK);

  const out = new ByteWriter(false).text('MZ').padTo(60).u32(headerAt).padTo(headerAt).text('PE\0\0');
  out
    .u16(wide ? 0x8664 : 0x14c)
    .u16(count)
    .u32(0);
  out
    .u32(names.length > 0 ? symbolsAt : 0)
    .u32(names.length > 0 ? 1 : 0)
    .u16(optionalBytes)
    .u16(0x22);
  const optionalAt = out.length;
  out
    .u16(wide ? 0x20b : 0x10b)
    .padTo(optionalAt + 32)
    .u32(PAGE)
    .u32(BLOCK);
  out
    .padTo(optionalAt + 60)
    .u32(headerBytes)
    .padTo(optionalAt + (wide ? 108 : 92))
    .u32(16);
  out.padTo(out.length + 6 * 8);
  out.u32(debug.length > 0 ? rdataAt + SHIFT : 0).u32(directoryBytes);
  out.padTo(optionalAt + optionalBytes);
  for (const { name, at, bytes } of rows) {
    out
      .text(name, 8)
      .u32(bytes.length)
      .u32(at + SHIFT)
      .u32(bytes.length)
      .u32(at);
    out.u32(0).u32(0).u32(0).u32(0x4000_0040);
  }
  for (const { at, bytes } of rows) out.padTo(at).raw(bytes);
  if (names.length > 0)
    out
      .padTo(symbolsAt + 18)
      .u32(4 + names.length)
      .raw(names.bytes);
  return out.bytes;
}
