import type { BinaryFacts, RangeReader } from '../ranges.ts';
import { Tables } from '../tables.ts';
import { ELF_HEADER_BYTES, parseElfHeader } from './header.ts';
import { packingOf, readSectionHeaders, readSectionNames, SHT_NOBITS, SHT_NULL } from './sections.ts';
import { readSegments } from './segments.ts';
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
    for (const [index, section] of headers.entries()) {
      const { type, offset, size } = section;
      if (type === SHT_NULL || type === SHT_NOBITS) continue;
      const name = names[index] ?? '';
      if (!tables.holds(offset, size)) tables.corrupt(offset, 'section outside the file');
      else tables.section({ name, offset, size, compressed: packingOf(tables, header, section, name) });
    }
  }
  return { format: 'elf', fields: tables.fields, sections: tables.sections, faults: tables.faults };
}
