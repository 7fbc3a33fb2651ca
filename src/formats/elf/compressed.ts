import { NarScanError } from '../../model/errors.ts';
import type { GapReason } from '../../model/facts.ts';
import { LIMITS } from '../../model/limits.ts';
import { bitcodeStrings, isBitcode } from '../bitcode/bitcode.ts';
import { decompress } from '../compression/decompress.ts';
import { isZlibHeader } from '../compression/magic.ts';
import { streamOf } from '../container.ts';
import type { ByteStream, ContainerFault, ContainerItem, Member } from '../container.ts';
import { BIG_ENDIAN, LITTLE_ENDIAN } from '../integers.ts';
import type { RangeReader, Section } from '../ranges.ts';
import { ELF_HEADER_BYTES, parseElfHeader } from './header.ts';

/**
 * The packed sections of a binary, each a member with its content unpacked: sections compressed by
 * their flags (zlib, zstd), `.zdebug_*`, GCC's intermediate code (`.gnu.lto_*`), the strings of
 * LLVM's (`.llvmbc`), and `.gnu_debugdata`, whose content is an ELF file again. Of Mach-O and PE files `.zdebug_*` and the like are opened, and
 * a .NET assembly's embedded PDB. Sections that turn out not to be packed are passed over: a search
 * over the file's own bytes sees them.
 *
 * Contents throw CONTAINER_CORRUPT at their end where they are not as long as announced.
 *
 * Sources: gABI, "Section Compression"; binutils, bfd/compress.c; GCC, lto-compress.cc and
 * lto-section-out.cc; .NET, PE-COFF.md, "Embedded Portable PDB".
 *
 * @param sections as {@link readElf} gives them for this reader, or readers of other binaries
 */
export async function* elfSections(
  reader: RangeReader,
  sections: readonly Section[],
): AsyncGenerator<ContainerItem, void, undefined> {
  const streams = { left: LIMITS.sectionStreams };
  let packedBytes = 0;
  for (const section of sections) {
    if (section.compressed === null) continue;
    packedBytes += section.size;
    if (packedBytes > reader.size) {
      yield faultOf(section, 'corrupt', 'packed sections overlap');
      return;
    }
    const item = open(reader, section, streams);
    if (item !== null) yield item;
  }
}

/** The member or fault that a section makes; null: nothing in it is packed. */
function open(reader: RangeReader, section: Section, streams: { left: number }): ContainerItem | null {
  switch (section.compressed) {
    case 'zlib':
    case 'zstd':
      return openByHeader(reader, section, streams);
    case 'zdebug':
      return openZdebug(reader, section, streams);
    case 'lto':
      return openLto(reader, section, streams);
    case 'xz':
      return member(section, 0, decompress('xz', packed(reader, section, 0)));
    case 'mpdb':
      return openEmbeddedPdb(reader, section);
    case 'bitcode':
      return openBitcode(reader, section);
    case 'rustc':
      return openRustMetadata(reader, section);
    case 'unknown':
      return faultOf(section, 'unsupported', 'compressed in an unknown way');
    case null:
      return null;
  }
}

/** A section whose flags say that it is compressed: a header (Chdr), then the stream. */
function openByHeader(reader: RangeReader, section: Section, streams: { left: number }): ContainerItem {
  const head = startOf(reader, 0, ELF_HEADER_BYTES, reader.size);
  const elf = head === null ? null : parseElfHeader(head);
  const headerBytes = elf?.wide === false ? 12 : 24;
  if (section.size < headerBytes) return faultOf(section, 'corrupt', 'shorter than its compression header');
  const header = startOf(reader, section.offset, headerBytes, section.size);
  if (elf === null || header === null)
    return faultOf(section, 'unreadable', 'compression header not available');
  const announced = elf.wide ? elf.integers.u64(header, 8) : elf.integers.u32(header, 4);
  const content =
    section.compressed === 'zlib'
      ? zlibStreams(reader, section, headerBytes, streams)
      : decompress('zstd', packed(reader, section, headerBytes));
  return member(section, headerBytes, exactly(announced, content));
}

const ZDEBUG_HEADER_BYTES = 12;

/** The GNU form: `ZLIB`, the size in big endian whatever the file's own byte order, the stream. */
function openZdebug(reader: RangeReader, section: Section, streams: { left: number }): ContainerItem | null {
  const header = startOf(reader, section.offset, ZDEBUG_HEADER_BYTES, section.size);
  if (header === null) return faultOf(section, 'unreadable', 'compression header not available');
  // Without its magic binutils takes the section as it is, in spite of its name.
  if (header.length < ZDEBUG_HEADER_BYTES || BIG_ENDIAN.u32(header, 0) !== 0x5a4c_4942) return null;
  const content = zlibStreams(reader, section, ZDEBUG_HEADER_BYTES, streams);
  return member(section, ZDEBUG_HEADER_BYTES, exactly(BIG_ENDIAN.u64(header, 4), content));
}

/**
 * GCC packs each section of intermediate code by itself and says nowhere how, nor how long it was.
 * Symbol tables, options and the section that names the version are never packed, and nothing of
 * what its linker plugin writes between two passes is.
 */
function openLto(reader: RangeReader, section: Section, streams: { left: number }): ContainerItem | null {
  if (/^\.gnu\.(?:offload_)?lto_\.(?:lto|opts|symtab|ext_symtab)(?:\.|$)/.test(section.name)) return null;
  const head = startOf(reader, section.offset, 4, section.size);
  if (head === null) return faultOf(section, 'unreadable', 'not available');
  if (head.length === 4 && LITTLE_ENDIAN.u32(head, 0) === 0xfd2f_b528) {
    return member(section, 0, decompress('zstd', packed(reader, section, 0)));
  }
  const [method = 0, flags = 0] = head;
  // The largest window, which is all that GCC asks for.
  if (method !== 0x78 || !isZlibHeader(method, flags)) return null;
  return member(section, 0, zlibStreams(reader, section, 0, streams));
}

const EMBEDDED_PDB_HEADER_BYTES = 8;

function openEmbeddedPdb(reader: RangeReader, section: Section): ContainerItem {
  const header = startOf(reader, section.offset, EMBEDDED_PDB_HEADER_BYTES, section.size);
  if (header === null) return faultOf(section, 'unreadable', 'header not available');
  const content = decompress('deflate', packed(reader, section, EMBEDDED_PDB_HEADER_BYTES));
  return member(section, EMBEDDED_PDB_HEADER_BYTES, exactly(LITTLE_ENDIAN.u32(header, 4), content));
}

/** LLVM's intermediate code; Apple's tools also leave a mark of one byte there, or an archive of it. */
function openBitcode(reader: RangeReader, section: Section): ContainerItem | null {
  const head = startOf(reader, section.offset, 4, section.size);
  if (head === null) return faultOf(section, 'unreadable', 'not available');
  if (isBitcode(head)) return member(section, 0, bitcodeStrings(reader, section.offset, section.size));
  const isXar = head.length === 4 && BIG_ENDIAN.u32(head, 0) === 0x7861_7221;
  return isXar ? faultOf(section, 'unsupported', 'an archive of bitcode was not opened') : null;
}

const RUST_HEADER_BYTES = 32;
const SNAPPY_MAGIC = '\xff\x06\0\0sNaPpY';

/** Metadata of a Rust library, behind `rust`, a version and a length: as it is, or before Rust 1.75 in snappy's frames. */
function openRustMetadata(reader: RangeReader, section: Section): ContainerItem | null {
  const head = startOf(reader, section.offset, RUST_HEADER_BYTES, section.size);
  if (head === null) return faultOf(section, 'unreadable', 'not available');
  const at = String.fromCharCode(...head).indexOf(SNAPPY_MAGIC);
  return at < 0 ? null : member(section, at, snappyFrames(reader, section, at));
}

/** Snappy's frames, and zeros where the section is longer. */
async function* snappyFrames(
  reader: RangeReader,
  section: Section,
  headerBytes: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    yield* decompress('snappy', packed(reader, section, headerBytes));
  } catch (error) {
    if (!(error instanceof NarScanError) || error.code !== 'COMPRESSION_TRAILING') throw error;
    const at = headerBytes + (error.offset ?? 0);
    if (!isPadding(reader, section.offset + at, section.size - at)) throw error;
  }
}

/** The first bytes of a range, as many of `most` as it has; null where they are not to be had. */
function startOf(reader: RangeReader, offset: number, most: number, size: number): Uint8Array | null {
  const bytes = reader.read(offset, Math.min(most, size));
  return bytes === null ? null : bytes.slice();
}

/** The bytes of a section behind a header of its own. */
function packed(reader: RangeReader, section: Section, headerBytes: number): ByteStream {
  return streamOf(reader, section.offset + headerBytes, section.size - headerBytes);
}

/** The largest unit that PE files fill their sections up to. */
const PADDING_BYTES = 0x1_0000;

/**
 * zlib streams one after another: that is what old linkers made of several compressed sections, and
 * binutils still reads. Zeros may follow, for a section of a PE file ends with its block.
 */
async function* zlibStreams(
  reader: RangeReader,
  section: Section,
  headerBytes: number,
  streams: { left: number },
): AsyncGenerator<Uint8Array, void, undefined> {
  for (let at = headerBytes; ;) {
    try {
      yield* decompress('zlib', packed(reader, section, at));
      return;
    } catch (error) {
      if (!(error instanceof NarScanError) || error.code !== 'COMPRESSION_TRAILING') throw error;
      streams.left -= 1;
      if (streams.left < 0) {
        const what = `more than ${LIMITS.sectionStreams} streams in compressed sections`;
        throw new NarScanError('CONTAINER_LIMIT', what, { cause: error });
      }
      // no stream is shorter than its header, so this comes to an end
      at += Math.max(error.offset ?? 0, 1);
      if (isPadding(reader, section.offset + at, section.size - at)) return;
    }
  }
}

/** Whether there is nothing but zeros, and no more of them than fill up a block. */
function isPadding(reader: RangeReader, offset: number, size: number): boolean {
  if (size >= PADDING_BYTES) return false;
  return reader.read(offset, size)?.every((byte) => byte === 0) ?? false;
}

/** @throws NarScanError CONTAINER_CORRUPT at the end of a content that is not as long as announced */
async function* exactly(announced: number, content: ByteStream): AsyncGenerator<Uint8Array, void, undefined> {
  let bytes = 0;
  for await (const chunk of content) {
    bytes += chunk.length;
    yield chunk;
  }
  if (bytes === announced) return;
  throw new NarScanError('CONTAINER_CORRUPT', `${announced} bytes were announced and ${bytes} came`);
}

function member(section: Section, headerBytes: number, contents: ByteStream): Member {
  return {
    item: 'member',
    name: section.name,
    type: 'file',
    target: '',
    offset: section.offset + headerBytes,
    stored: false,
    contents,
    section: true,
  };
}

function faultOf(section: Section, reason: GapReason, what: string): ContainerFault {
  const detail = `packed section: ${what}`;
  return { item: 'fault', reason, offset: section.offset, member: section.name, detail };
}
