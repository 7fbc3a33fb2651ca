import type { ByteString } from '../../model/bytes.ts';
import { LIMITS } from '../../model/limits.ts';
import type { Input } from '../compression/input.ts';
import { beyondLimit, corrupt, cStringOf, endsEarly } from '../memberBody.ts';
import { paddingOf } from './header.ts';
import type { TarHeader } from './header.ts';
import { readPax } from './pax.ts';
import type { PaxKey, PaxRecords } from './pax.ts';

/** PAX: for the next member, as Solaris marks it, for all that follow. GNU: long link target, long name. */
const EXTENDED = ['x', 'X', 'g', 'K', 'L'] as const;
type Extended = (typeof EXTENDED)[number];

export function isExtended(flag: string): flag is Extended {
  return (EXTENDED as readonly string[]).includes(flag);
}

const NO_RECORDS: PaxRecords = {};

/** What the headers before a member's own one say of it. */
export class ExtendedHeaders {
  #pax: PaxRecords | null = null;
  #longName: ByteString | null = null;
  #longTarget: ByteString | null = null;
  /** What is wrong with what was read for the next member. */
  #faults: string[] = [];

  /** Whether something waits for its member. */
  get pending(): boolean {
    return this.#pax !== null || this.#longName !== null || this.#longTarget !== null;
  }

  /**
   * Reads the body of an extended header, and what fills its last record.
   *
   * @param at offset of the header, for errors
   * @throws NarScanError CONTAINER_LIMIT, CONTAINER_CORRUPT, CONTAINER_TRUNCATED; what the source throws
   */
  async read(input: Input, flag: Extended, header: TarHeader, at: number): Promise<void> {
    if (header.size === null) throw corrupt('tar', at, 'the size of an extended header is no number');
    const { value: size, plain } = header.size;
    if (!plain) this.#fault('the size of an extended header can be read in two ways');
    if (size > LIMITS.tarExtendedBytes) {
      throw beyondLimit(
        'tar',
        at,
        `an extended header of ${size} bytes, more than ${LIMITS.tarExtendedBytes}`,
      );
    }
    const length = size + paddingOf(size);
    if (!(await input.fill(length))) throw endsEarly(input, 'tar');
    const body = input.peek(size);
    this.#take(flag, body);
    input.start += length;
  }

  /** What holds for the member whose header comes now, and for it alone. */
  next(): { pax: PaxRecords; longName: ByteString | null; longTarget: ByteString | null; faults: string[] } {
    const next = {
      pax: this.#pax ?? NO_RECORDS,
      longName: this.#longName,
      longTarget: this.#longTarget,
      faults: this.#faults,
    };
    this.#faults = [];
    this.#pax = this.#longName = this.#longTarget = null;
    return next;
  }

  #take(flag: Extended, body: Uint8Array): void {
    switch (flag) {
      case 'L':
        this.#once(this.#longName);
        this.#longName = this.#stringOf(body);
        return;
      case 'K':
        this.#once(this.#longTarget);
        this.#longTarget = this.#stringOf(body);
        return;
      case 'g':
        // Readers differ on it; and one long name of every member would cost more than its bytes.
        if (Object.keys(this.#recordsOf(body)).length > 0)
          this.#fault('a PAX header for all speaks of one member');
        return;
      case 'x':
      case 'X':
        this.#once(this.#pax);
        this.#pax = { ...this.#pax, ...this.#recordsOf(body) };
    }
  }

  #stringOf(body: Uint8Array): ByteString {
    const value = cStringOf(body);
    if (value === '') this.#fault('an empty long name or link target');
    return value;
  }

  #recordsOf(body: Uint8Array): PaxRecords {
    const { records, fault } = readPax(body);
    if (fault !== null) this.#fault(fault);
    return records;
  }

  /** Some readers take the first of two such headers, some the last, some refuse. */
  #once(earlier: unknown): void {
    if (earlier !== null) this.#fault('two extended headers of one kind before one member');
  }

  #fault(detail: string): void {
    if (!this.#faults.includes(detail)) this.#faults.push(detail);
  }
}

/** The value of a record, null where there is none or it was taken back. */
export function valueOf(records: PaxRecords, key: PaxKey): ByteString | null {
  const value = records[key];
  return value === undefined || value === '' ? null : value;
}
