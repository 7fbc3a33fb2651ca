import { LIMITS } from '../../model/limits.ts';
import type { Range } from '../ranges.ts';
import { boundedRanges } from '../tables.ts';
import { entryBytes, parseElfHeader } from './header.ts';
import type { ElfHeader } from './header.ts';
import { COMPRESSION_TYPE_BYTES, isCompressed, parseSectionHeader, SHT_DYNAMIC } from './sections.ts';
import type { SectionHeader } from './sections.ts';
import { isDynamic, parseSegment } from './segments.ts';

/**
 * The ranges behind the head that {@link readElf} will ask for, as far as the head tells: program
 * headers, section headers, dynamic sections, section names, compression headers. Where the section
 * headers lie behind the head too, the names are taken to stand before them, as linkers put them.
 *
 * @param head the first min(size, LIMITS.binaryHeadBytes) bytes of the file
 * @param size of the file
 * @returns in ascending order, apart from one another, LIMITS.binaryTableBytes in all
 */
export function planElf(head: Uint8Array, size: number): Range[] {
  const header = parseElfHeader(head);
  if (header === null) return [];
  const wanted: Range[] = [];
  const { segments, sections } = header;
  const least = entryBytes(header.wide);

  // PN_XNUM hides the true count in a section header; what is in the head needs no plan.
  wanted.push({ offset: segments.offset, length: segments.count * segments.entryBytes });
  if (segments.entryBytes >= least.segment) {
    for (let k = 0; k < segments.count; k += 1) {
      const at = segments.offset + k * segments.entryBytes;
      if (at + least.segment > head.length) break;
      const segment = parseSegment(header, head, at);
      if (isDynamic(segment)) wanted.push({ offset: segment.offset, length: segment.bytes });
    }
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
      const left = Math.min(LIMITS.binaryTableBytes - taken, sections.offset);
      wanted.push({ offset: sections.offset - left, length: left });
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
