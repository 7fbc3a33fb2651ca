import { LIMITS } from '../../model/limits.ts';
import type { BinaryFacts, Range, RangeReader } from '../ranges.ts';
import { boundedRanges, Tables } from '../tables.ts';
import { ELF_HEADER_BYTES, entryBytes, parseElfHeader } from './header.ts';
import type { ElfHeader } from './header.ts';
import {
  COMPRESSION_TYPE_BYTES,
  isCompressed,
  packingOf,
  parseSectionHeader,
  readSectionHeaders,
  readSectionNames,
  SHT_DYNAMIC,
  SHT_NOBITS,
  SHT_NULL,
} from './sections.ts';
import type { SectionHeader } from './sections.ts';
import { isDynamic, parseSegment, readSegments } from './segments.ts';
import { collectStrings } from './strings.ts';

/**
 * What the tables of an ELF file say: the strings that are paths or library names, and its sections
 * (those that have bytes in the file). 32 and 64 bit, both byte orders, with or without section
 * headers or program headers. Whatever the file says, the work is bounded and nothing is thrown.
 *
 * @returns null where there is no valid ELF header: then the file is just bytes
 */
export function readElf(reader: RangeReader): BinaryFacts | null {
  const tables = new Tables(reader);
  const head = tables.read(0, Math.min(ELF_HEADER_BYTES, reader.size), 'ELF header');
  if (head !== null) {
    const header = parseElfHeader(head);
    if (header === null) return null;
    const sectionHeaders = readSectionHeaders(tables, header);
    const { headers, segmentCount } = sectionHeaders;
    const segments = readSegments(tables, header, segmentCount);
    const names = readSectionNames(tables, sectionHeaders);
    collectStrings(tables, header, segments, headers);
    for (let index = 0; index < headers.length; index += 1) {
      const section = headers[index] as SectionHeader;
      const { type, offset, size } = section;
      if (type === SHT_NULL || type === SHT_NOBITS) continue;
      const name = names[index] ?? '';
      if (!tables.holds(offset, size)) tables.corrupt(offset, 'section outside the file');
      else tables.section({ name, offset, size, compressed: packingOf(tables, header, section, name) });
    }
  }
  return { format: 'elf', fields: tables.fields, sections: tables.sections, faults: tables.faults };
}

/**
 * The ranges behind the head that {@link readElf} will ask for, as far as the head tells: program
 * headers, section headers, dynamic sections, section names, compression headers. Where the section
 * headers lie behind the head too, the names are taken to stand before them, as linkers put them.
 *
 * @param head the first min(size, LIMITS.binaryHeadBytes) bytes of the file
 * @param size of the file
 * @param tailBytes at the end of the file that are kept anyway
 * @returns in ascending order, apart from one another, LIMITS.binaryTableBytes in all
 */
export function planElf(head: Uint8Array, size: number, tailBytes: number = LIMITS.binaryTailBytes): Range[] {
  const header = parseElfHeader(head);
  if (header === null) return [];
  const wanted: Range[] = [];
  const { segments, sections } = header;
  const least = entryBytes(header.wide);

  // PN_XNUM hides the true count in a section header; what is in the head needs no plan.
  wanted.push({ offset: segments.offset, length: segments.count * segments.entryBytes });
  // Post-link optimizers write new program headers behind the head; the old ones stay as a hint.
  const inHead = segments.offset + segments.count * least.segment <= head.length;
  const first = inHead ? segments.offset : header.bytes;
  const stride = Math.max(segments.entryBytes, least.segment);
  for (let k = 0, at = first; k < segments.count && at + least.segment <= head.length; k += 1, at += stride) {
    const segment = parseSegment(header, head, at);
    if (isDynamic(segment)) wanted.push({ offset: segment.offset, length: segment.bytes });
  }

  if (sections.offset > 0) {
    const length = sections.count > 0 ? sections.count * sections.entryBytes : size - sections.offset;
    wanted.push({ offset: sections.offset, length });
    const known = sectionsInHead(header, head);
    const names = known[header.namesIndex];
    if (names !== undefined) wanted.push({ offset: names.offset, length: names.size });
    for (const section of known) {
      if (section.type === SHT_DYNAMIC) wanted.push({ offset: section.offset, length: section.size });
      if (isCompressed(section)) wanted.push({ offset: section.offset, length: COMPRESSION_TYPE_BYTES });
    }
    if (known.length === 0) {
      const taken = boundedRanges(wanted, head.length, size).reduce((sum, range) => sum + range.length, 0);
      const end = Math.min(sections.offset, Math.max(size - tailBytes, 0));
      const left = Math.min(LIMITS.binaryTableBytes - taken, end);
      wanted.push({ offset: end - left, length: left });
    }
  }
  return boundedRanges(wanted, head.length, size);
}

/** The section headers, if all that the ELF header counts stand in the head; else none. */
function sectionsInHead(header: ElfHeader, head: Uint8Array): SectionHeader[] {
  const { offset, entryBytes: stride, count } = header.sections;
  if (stride < entryBytes(header.wide).section || offset + count * stride > head.length) return [];
  return Array.from({ length: count }, (_, k) => parseSectionHeader(header, head, offset + k * stride));
}
