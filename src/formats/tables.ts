import { LIMITS } from '../model/limits.ts';
import type { Carrier } from '../model/facts.ts';
import type { Fault, Field, Range, RangeReader, Section } from './ranges.ts';

/**
 * Reads the tables of one hostile binary and collects what they say. Everything is bounded here:
 * bytes read in all, fields, sections and faults kept; reaching a bound is itself a fault.
 */
export class Tables {
  readonly fields: Field[] = [];
  readonly sections: Section[] = [];
  readonly faults: Fault[] = [];
  readonly #reader: RangeReader;
  readonly #seenFields = new Set<string>();
  readonly #seenFaults = new Set<string>();
  #unread: number = LIMITS.binaryReadBytes;
  #fieldsNamed = 0;

  constructor(reader: RangeReader) {
    this.#reader = reader;
  }

  get size(): number {
    return this.#reader.size;
  }

  /** Whether [offset, offset + length) lies in the file. */
  holds(offset: number, length: number): boolean {
    return offset >= 0 && length >= 0 && offset + length <= this.size;
  }

  /**
   * The bytes [offset, offset + length), valid until the next call; null after noting a fault.
   *
   * @param what names the table in the fault
   */
  read(offset: number, length: number, what: string): Uint8Array | null {
    if (!this.holds(offset, length)) {
      this.corrupt(offset, `${what} outside the file`);
      return null;
    }
    if (length > this.#unread) {
      this.corrupt(offset, `tables larger than ${LIMITS.binaryReadBytes} bytes`);
      return null;
    }
    this.#unread -= length;
    const bytes = this.#reader.read(offset, length);
    if (bytes === null || bytes.length < length) {
      this.#fault('unavailable', offset, `${what} not available`);
      return null;
    }
    return bytes;
  }

  /** Notes a fault of the file. The same complaint is kept once, with the first offset. */
  corrupt(offset: number, detail: string): void {
    this.#fault('corrupt', offset, detail);
  }

  /**
   * Keeps a field; one that several tables name is kept once. Being named is bounded too: a few
   * tables that each name the same strings a few thousand times would take minutes.
   */
  field(carrier: Carrier, name: string, offset: number, length: number | null): void {
    this.#fieldsNamed += 1;
    if (this.#fieldsNamed > LIMITS.binaryFields) {
      if (this.#fieldsNamed === LIMITS.binaryFields + 1) {
        this.corrupt(offset, `more than ${LIMITS.binaryFields} fields`);
      }
      return;
    }
    if (!this.holds(offset, length ?? 1)) {
      this.corrupt(offset, `${name} outside the file`);
      return;
    }
    const key = `${name} ${offset} ${length}`;
    if (this.#seenFields.has(key)) return;
    this.#seenFields.add(key);
    this.fields.push({ carrier, name, offset, length });
  }

  /** Keeps a section; its bytes must lie in the file. */
  section(section: Section): void {
    if (!this.holds(section.offset, section.size)) {
      this.corrupt(section.offset, 'section outside the file');
    } else if (this.sections.length >= LIMITS.binarySections) {
      this.corrupt(section.offset, `more than ${LIMITS.binarySections} sections`);
    } else {
      this.sections.push(section);
    }
  }

  // Details are drawn from a fixed set of texts, so keeping each once also bounds the list.
  #fault(kind: Fault['kind'], offset: number, detail: string): void {
    const key = `${kind} ${detail}`;
    if (this.#seenFaults.has(key)) return;
    this.#seenFaults.add(key);
    this.faults.push({ kind, offset: Number.isSafeInteger(offset) && offset >= 0 ? offset : 0, detail });
  }
}

/**
 * Ranges worth keeping of a stream, for a plan: cut to [from, size), merged, in ascending order and
 * `LIMITS.binaryTableBytes` in all. Those named first win where that is not enough.
 *
 * @param from end of the head, which is kept anyway
 */
export function boundedRanges(wanted: readonly Range[], from: number, size: number): Range[] {
  let left: number = LIMITS.binaryTableBytes;
  const cut: { start: number; end: number }[] = [];
  for (const { offset, length } of wanted) {
    const start = Math.max(offset, from);
    const end = Math.min(offset + length, size, start + left);
    if (!(start < end)) continue;
    left -= end - start;
    cut.push({ start, end });
  }
  cut.sort((a, b) => a.start - b.start);
  const merged: { start: number; end: number }[] = [];
  for (const range of cut) {
    const last = merged.at(-1);
    if (last !== undefined && range.start <= last.end) last.end = Math.max(last.end, range.end);
    else merged.push({ ...range });
  }
  return merged.map(({ start, end }) => ({ offset: start, length: end - start }));
}
