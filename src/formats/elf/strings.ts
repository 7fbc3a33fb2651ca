import type { Tables } from '../tables.ts';
import { readDynamic, STRING_TAGS } from './dynamic.ts';
import type { Dynamic } from './dynamic.ts';
import type { ElfHeader } from './header.ts';
import { isAt, isNotInFile, SHT_DYNAMIC, SHT_NOBITS } from './sections.ts';
import type { SectionHeader } from './sections.ts';
import { isInSegment, placesOf } from './segments.ts';
import type { Segment, Segments } from './segments.ts';

/** Longest interpreter that Linux takes. */
const PATH_MAX = 4096;
/** Dynamic sections by section header that are followed. */
const MAX_DYNAMIC_SECTIONS = 4;

/** A dynamic section at one place of the file, by all the headers that name this place. */
interface DynamicPlace {
  readonly offset: number;
  /** Bytes that a header gives it, and bytes that follow it in its loadable segment. */
  stated: number;
  mapped: number;
  /** The section headers say that it is not in the file: then nothing wrong with it is a fault. */
  readonly doubtful: boolean;
}

/**
 * Collects the strings that the loader reads as paths and library names.
 *
 * The loader goes by program headers and addresses, binutils by file offsets, others by section
 * headers. Where they differ all are followed, so that none of them sees a path that is not
 * reported.
 */
export function collectStrings(
  tables: Tables,
  header: ElfHeader,
  segments: Segments,
  sections: readonly SectionHeader[],
): void {
  for (const segment of segments.interpreters) collectInterpreter(tables, segment, sections);
  const linked = dynamicSections(tables, sections);
  const linkedTables = linked
    .map((section) => sections[section.link])
    .filter((table) => table !== undefined && table.type !== SHT_NOBITS)
    .map((table) => table?.offset ?? 0);
  for (const place of dynamicPlaces(tables, segments, sections, linked)) {
    if (place.doubtful && !tables.holds(place.offset, 0)) continue;
    const dynamic = readDynamic(tables, header, place.offset, place.stated, place.mapped);
    if (place.doubtful) {
      if (!dynamic.ended || dynamic.stringTables.length === 0) continue;
    } else if (!dynamic.ended && !dynamic.faulty) {
      tables.corrupt(place.offset, 'dynamic section without an end');
    }
    collectFields(tables, dynamic, place, tablesOf(tables, dynamic, place, segments, sections, linkedTables));
  }
}

function collectInterpreter(tables: Tables, segment: Segment, sections: readonly SectionHeader[]): void {
  const { offset, bytes, address } = segment;
  if (bytes === 0) return;
  if (isNotInFile(sections, address)) {
    if (bytes > PATH_MAX || !tables.holds(offset, bytes)) return;
    const text = tables.read(offset, bytes, 'interpreter');
    if (text === null || text.indexOf(0) !== bytes - 1) return;
  } else if (!tables.holds(offset, bytes)) {
    tables.corrupt(offset, 'interpreter outside the file');
    return;
  }
  tables.field('interp', 'PT_INTERP', offset, null);
}

function dynamicSections(tables: Tables, sections: readonly SectionHeader[]): SectionHeader[] {
  const found: SectionHeader[] = [];
  for (const section of sections) {
    if (section.type !== SHT_DYNAMIC) continue;
    if (found.length < MAX_DYNAMIC_SECTIONS) found.push(section);
    else tables.corrupt(section.offset, 'too many dynamic sections');
  }
  return found;
}

function dynamicPlaces(
  tables: Tables,
  segments: Segments,
  sections: readonly SectionHeader[],
  linked: readonly SectionHeader[],
): DynamicPlace[] {
  const places: DynamicPlace[] = [];
  const add = (offset: number, stated: number, mapped: number, doubtful: boolean): void => {
    const known = places.find((place) => place.offset === offset);
    if (known === undefined) {
      places.push({ offset, stated, mapped, doubtful });
    } else {
      known.stated = Math.max(known.stated, stated);
      known.mapped = Math.max(known.mapped, mapped);
    }
  };
  for (const segment of segments.dynamics) {
    // Some tools that split debug information leave the program header, but no bytes and no section.
    const missing = segment.bytes === 0 && !isInSegment(segments.loads, segment.address);
    const doubtful = missing || isNotInFile(sections, segment.address);
    if (segment.bytes > 0) {
      if (tables.holds(segment.offset, 0)) add(segment.offset, segment.bytes, 0, doubtful);
      else if (!doubtful) tables.corrupt(segment.offset, 'dynamic section outside the file');
    }
    for (const { offset, bytes } of placesOf(segments.loads, segment.address)) {
      add(offset, 0, bytes, doubtful);
    }
  }
  for (const section of linked) add(section.offset, section.size, 0, false);
  return places;
}

/** File offsets of the string tables of a dynamic section. */
function tablesOf(
  tables: Tables,
  dynamic: Dynamic,
  place: DynamicPlace,
  segments: Segments,
  sections: readonly SectionHeader[],
  linkedTables: readonly number[],
): ReadonlySet<number> {
  const offsets = new Set<number>(place.doubtful ? [] : linkedTables);
  for (const address of dynamic.stringTables) {
    const mapped = placesOf(segments.loads, address);
    for (const { offset } of mapped) offsets.add(offset);
    if (mapped.length > 0) continue;
    const section = sections.find(
      (one) => one.type !== SHT_NOBITS && isAt(one, address) && one.size > 0 && address !== 0n,
    );
    if (section !== undefined && !place.doubtful) offsets.add(section.offset);
    if (segments.loads.length > 0 && !place.doubtful) {
      tables.corrupt(place.offset, 'string table in no loadable segment');
    }
  }
  return offsets;
}

function collectFields(
  tables: Tables,
  dynamic: Dynamic,
  place: DynamicPlace,
  stringTables: ReadonlySet<number>,
): void {
  if (dynamic.strings.length > 0 && stringTables.size === 0 && !place.doubtful) {
    tables.corrupt(place.offset, 'dynamic section without a string table');
  }
  for (const { tag, value } of dynamic.strings) {
    const known = STRING_TAGS.get(tag);
    if (known === undefined) continue;
    const [name, carrier] = known;
    if (value >= dynamic.stringBytes && !place.doubtful) {
      tables.corrupt(place.offset, `${name} outside the string table`);
    }
    for (const table of stringTables) {
      const offset = table + value;
      if (!place.doubtful || tables.holds(offset, 1)) tables.field(carrier, name, offset, null);
    }
  }
}
