import { ByteWriter } from './byteWriter.ts';

/** What a hand-made Mach-O file is to hold. */
export interface MachoRecipe {
  readonly wide: boolean;
  readonly big: boolean;
  /** Load commands with one string. `head`: bytes before it in the command (12, for libraries 24). */
  readonly strings: readonly { readonly command: number; readonly text: string; readonly head?: number }[];
  readonly sections?: readonly { segment: string; name: string; bytes: Uint8Array }[];
}

/** Writes a thin Mach-O file: header, load commands, the bytes of the sections. */
export function writeMacho({ wide, big, strings, sections = [] }: MachoRecipe): Uint8Array {
  const headerBytes = wide ? 32 : 28;
  const sectionBytes = wide ? 80 : 68;
  const segmentBytes = (wide ? 72 : 56) + sections.length * sectionBytes;
  const stringBytes = (text: string, head: number): number => Math.ceil((head + text.length + 1) / 8) * 8;
  const commandBytes =
    strings.reduce((sum, { text, head = 12 }) => sum + stringBytes(text, head), 0) +
    (sections.length > 0 ? segmentBytes : 0);
  const out = new ByteWriter(big);
  out
    .u32(wide ? 0xfeedfacf : 0xfeedface)
    .u32(wide ? 0x0100_0007 : 7)
    .u32(3)
    .u32(6);
  out
    .u32(strings.length + (sections.length > 0 ? 1 : 0))
    .u32(commandBytes)
    .u32(0);
  if (wide) out.u32(0);
  for (const { command, text, head = 12 } of strings) {
    const start = out.length;
    const bytes = stringBytes(text, head);
    out
      .u32(command)
      .u32(bytes)
      .u32(head)
      .padTo(start + head)
      .text(text)
      .padTo(start + bytes);
  }
  if (sections.length > 0) {
    const all = sections.reduce((sum, { bytes }) => sum + bytes.length, 0);
    let at = headerBytes + commandBytes;
    out
      .u32(wide ? 0x19 : 1)
      .u32(segmentBytes)
      .text('', 16);
    out
      .word(wide, 0)
      .word(wide, all)
      .word(wide, at)
      .word(wide, all)
      .u32(7)
      .u32(7)
      .u32(sections.length)
      .u32(0);
    for (const { segment, name, bytes } of sections) {
      out.text(name, 16).text(segment, 16).word(wide, 0).word(wide, bytes.length).u32(at);
      out.u32(0).u32(0).u32(0).u32(0).u32(0).u32(0);
      if (wide) out.u32(0);
      at += bytes.length;
    }
    for (const { bytes } of sections) out.raw(bytes);
  }
  return out.bytes;
}

/** Writes a fat file of the slices, each aligned to 4 KiB. */
export function writeFat(slices: readonly Uint8Array[], wide: boolean): Uint8Array {
  const out = new ByteWriter(true).u32(wide ? 0xcafebabf : 0xcafebabe).u32(slices.length);
  let at = 4096;
  for (const [k, slice] of slices.entries()) {
    out
      .u32(k === 0 ? 0x0100_0007 : 0x0100_000c)
      .u32(3)
      .word(wide, at)
      .word(wide, slice.length)
      .u32(12);
    if (wide) out.u32(0);
    at += Math.ceil(slice.length / 4096) * 4096;
  }
  for (const slice of slices) out.padTo(Math.ceil(out.length / 4096) * 4096).raw(slice);
  return out.bytes;
}
