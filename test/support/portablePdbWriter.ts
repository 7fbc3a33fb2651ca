import { ByteWriter } from './byteWriter.ts';

function compressed(value: number): Uint8Array {
  const bytes = new ByteWriter(true);
  if (value < 0x80) bytes.u8(value);
  else if (value < 0x4000) bytes.u16(0x8000 + value);
  else bytes.u32(0xc000_0000 + value);
  return bytes.bytes;
}

/** Writes a portable PDB whose documents have these names, cut at the separator. */
export function writePortablePdb(names: readonly string[], separator = '/', largeHeaps = false): Uint8Array {
  const heap = new ByteWriter(false).u8(0);
  const known = new Map<string, number>([['', 0]]);
  const blob = (bytes: Uint8Array): number => {
    const at = heap.length;
    heap.raw(compressed(bytes.length)).raw(bytes);
    return at;
  };
  const partOf = (text: string): number => {
    const at = known.get(text) ?? blob(Buffer.from(text));
    known.set(text, at);
    return at;
  };
  const rows = names.map((name) => {
    const parts = (separator === '' ? [name] : name.split(separator)).map((part) => compressed(partOf(part)));
    return blob(Buffer.concat([Buffer.from(separator === '' ? '\0' : separator), ...parts]));
  });
  const tables = new ByteWriter(false)
    .u32(0)
    .u8(2)
    .u8(0)
    .u8(largeHeaps ? 6 : 0)
    .u8(1);
  // documents, and the table of methods, which is empty
  tables.u64(0x3_0000_0000_0000n).u64(0).u32(names.length).u32(0);
  const index = (value: number): void => {
    if (largeHeaps) tables.u32(value);
    else tables.u16(value);
  };
  for (const row of rows) for (const value of [row, 1, 0, 1]) index(value);

  const out = new ByteWriter(false).u32(0x424a_5342).u16(1).u16(1).u32(0).u32(12).text('PDB v1.0', 12);
  const streams = [
    { name: '#Pdb', bytes: new Uint8Array(32) },
    { name: '#~', bytes: tables.bytes },
    { name: '#Strings', bytes: new Uint8Array(4) },
    { name: '#Blob', bytes: heap.bytes },
  ];
  out.u16(0).u16(streams.length);
  const padded = (name: string): number => Math.ceil((name.length + 1) / 4) * 4;
  let at = out.length + streams.reduce((sum, { name }) => sum + 8 + padded(name), 0);
  for (const { name, bytes } of streams) {
    out.u32(at).u32(bytes.length).text(name, padded(name));
    at += bytes.length;
  }
  for (const { bytes } of streams) out.raw(bytes);
  return out.bytes;
}
