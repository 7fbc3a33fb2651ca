import { ByteWriter } from './byteWriter.ts';

/** What a hand-made ELF file is to hold. */
export interface ElfRecipe {
  readonly wide: boolean;
  readonly big: boolean;
  /** Dynamic entries that name a string, by tag. */
  readonly strings?: readonly (readonly [tag: number, text: string])[];
  readonly interpreter?: string;
  readonly programHeaders?: boolean;
  readonly sectionHeaders?: boolean;
  /** Counts that do not fit the header stand in the first section header (e_shnum 0, PN_XNUM). */
  readonly extendedNumbering?: boolean;
  /** Bytes added to each program header's stated size. */
  readonly segmentStride?: number;
  /** Bytes of filler between the dynamic section and the section headers. */
  readonly filler?: number;
  /** Leaves out DT_STRTAB. */
  readonly noStringTable?: boolean;
  /** Marks .dynamic and .dynstr as not in the file, as in split debug files. */
  readonly notInFile?: boolean;
  readonly sections?: readonly { name: string; bytes: Uint8Array; flags?: bigint | number }[];
}

const BASE = 0x40_0000;

/** Writes an ELF file: header, program headers, interpreter, .dynstr, .dynamic, sections, .shstrtab, section headers. */
export function writeElf(recipe: ElfRecipe): Uint8Array {
  const { wide, big, strings = [], interpreter, programHeaders = true, sectionHeaders = true } = recipe;
  const stride = (wide ? 56 : 32) + (recipe.segmentStride ?? 0);
  const segmentCount = programHeaders ? (interpreter === undefined ? 2 : 3) : 0;
  const headerBytes = wide ? 64 : 52;
  const body = new ByteWriter(big).padTo(headerBytes + segmentCount * stride);

  const interpreterAt = body.length;
  if (interpreter !== undefined) body.text(`${interpreter}\0`);
  const dynstrAt = body.length;
  body.u8(0);
  const offsets = strings.map(([, text]) => {
    const at = body.length - dynstrAt;
    body.text(`${text}\0`);
    return at;
  });
  const dynstrBytes = body.length - dynstrAt;
  body.padTo(Math.ceil(body.length / 8) * 8);
  const dynamicAt = body.length;
  const entry = (tag: number, value: number): void => {
    body.word(wide, tag).word(wide, value);
  };
  for (const [k, [tag]] of strings.entries()) entry(tag, offsets[k] ?? 0);
  if (recipe.noStringTable !== true) entry(5, BASE + dynstrAt);
  entry(10, dynstrBytes);
  entry(0, 0);
  const dynamicBytes = body.length - dynamicAt;
  const loadBytes = body.length;
  body.padTo(body.length + (recipe.filler ?? 0));

  const nobits = recipe.notInFile === true;
  const rows: {
    name: string;
    type: number;
    flags: bigint;
    address: number;
    at: number;
    size: number;
    link: number;
  }[] = [
    {
      name: '.dynstr',
      type: nobits ? 8 : 3,
      flags: 2n,
      address: BASE + dynstrAt,
      at: dynstrAt,
      size: dynstrBytes,
      link: 0,
    },
    {
      name: '.dynamic',
      type: nobits ? 8 : 6,
      flags: 3n,
      address: BASE + dynamicAt,
      at: dynamicAt,
      size: dynamicBytes,
      link: 1,
    },
  ];
  for (const { name, bytes, flags = 0 } of recipe.sections ?? []) {
    rows.push({
      name,
      type: 1,
      flags: BigInt(flags),
      address: 0,
      at: body.length,
      size: bytes.length,
      link: 0,
    });
    body.raw(bytes);
  }
  const namesAt = body.length;
  const names = ['', ...rows.map((row) => row.name), '.shstrtab'].join('\0') + '\0';
  body.text(names);
  rows.push({ name: '.shstrtab', type: 3, flags: 0n, address: 0, at: namesAt, size: names.length, link: 0 });
  body.padTo(Math.ceil(body.length / 8) * 8);
  const sectionsAt = body.length;
  const extended = recipe.extendedNumbering === true;
  const count = rows.length + 1;
  if (sectionHeaders) {
    const header = (
      name: number,
      row: {
        type: number;
        flags: bigint;
        address: number;
        at: number;
        size: number;
        link: number;
        info: number;
      },
    ): void => {
      body.u32(name).u32(row.type).word(wide, row.flags).word(wide, row.address).word(wide, row.at);
      body.word(wide, row.size).u32(row.link).u32(row.info).word(wide, 1).word(wide, 0);
    };
    header(0, {
      type: 0,
      flags: 0n,
      address: 0,
      at: 0,
      size: extended ? count : 0,
      link: extended ? count - 1 : 0,
      info: extended ? segmentCount : 0,
    });
    for (const row of rows) header(names.indexOf(`\0${row.name}\0`) + 1, { ...row, info: 0 });
  }

  const head = new ByteWriter(big)
    .raw(Buffer.from([0x7f, 0x45, 0x4c, 0x46, wide ? 2 : 1, big ? 2 : 1, 1]))
    .padTo(16);
  head.u16(3).u16(62).u32(1).word(wide, 0);
  head.word(wide, segmentCount > 0 ? headerBytes : 0).word(wide, sectionHeaders ? sectionsAt : 0);
  head
    .u32(0)
    .u16(headerBytes)
    .u16(stride)
    .u16(extended ? 0xffff : segmentCount)
    .u16(wide ? 64 : 40);
  head.u16(!sectionHeaders || extended ? 0 : count).u16(!sectionHeaders ? 0 : extended ? 0xffff : count - 1);
  const segment = (type: number, at: number, bytes: number): void => {
    const start = head.length;
    head.u32(type);
    if (wide) head.u32(4);
    head
      .word(wide, at)
      .word(wide, BASE + at)
      .word(wide, 0)
      .word(wide, bytes)
      .word(wide, bytes);
    if (!wide) head.u32(4);
    head.word(wide, 4096).padTo(start + stride);
  };
  if (segmentCount > 0) {
    segment(1, 0, loadBytes);
    segment(2, dynamicAt, dynamicBytes);
    if (interpreter !== undefined) segment(3, interpreterAt, interpreter.length + 1);
  }
  return new Uint8Array(Buffer.concat([head.bytes, body.bytes.subarray(head.length)]));
}
