import type { ByteString } from '../../model/bytes.ts';
import { LIMITS } from '../../model/limits.ts';
import type { ContainerFault } from '../container.ts';
import { byteAt, LITTLE_ENDIAN } from '../integers.ts';
import { byteStringOf, faultOf } from '../memberBody.ts';
import type { RangeReader } from '../ranges.ts';
import { bytesAt } from '../zlib/piece.ts';
import type { DirectoryRecord } from './record.ts';

/** Signature, length and version of a field. */
const FIELD_BYTES = 4;
/** Continuations of one record, and bytes of each; Linux follows 100 of one block. */
const MOST_CONTINUATIONS = 64;
const CONTINUATION_BYTES = 32 * 1024;

const CONTINUES = 0x01;
const CURRENT = 0x02;
const PARENT = 0x04;
const ROOT = 0x08;

/** What the SUSP fields of a record say (IEEE P1281, P1282). */
export interface SystemUse {
  /** Null: the name of the record counts. */
  readonly name: ByteString | null;
  /** What a symbolic link leads to; null: it is none. */
  readonly target: ByteString | null;
  /** POSIX file mode, null where there is none. */
  readonly mode: number | null;
  /** Block of a directory that belongs here and lies elsewhere, for it would be too deep. */
  readonly child: number | null;
  /** Whether the directory belongs elsewhere. */
  readonly relocated: boolean;
  /** Bytes before the fields of every record, as the first one of the root says; null: it is not that one. */
  readonly skip: number | null;
  readonly faults: readonly ContainerFault[];
}

/** Of a record without any fields. */
export const NO_SYSTEM_USE: SystemUse = {
  name: null,
  target: null,
  mode: null,
  child: null,
  relocated: false,
  skip: null,
  faults: [],
};

/**
 * Reads the SUSP fields of a record, and those that continue them elsewhere.
 *
 * @param skip bytes before the fields
 * @throws NarScanError CONTAINER_UNREADABLE
 */
export function readSystemUse(
  reader: RangeReader,
  blockBytes: number,
  record: DirectoryRecord,
  skip: number,
): SystemUse {
  const fields = new Fields(record.at);
  let area: Buffer | null = record.systemUse.subarray(skip);
  for (let count = 0; area !== null; count += 1) {
    const next = fields.read(area);
    if (next === null) break;
    if (count >= MOST_CONTINUATIONS || next.length > CONTINUATION_BYTES) {
      fields.fault('corrupt', 'a record goes on without end');
      break;
    }
    const at = next.block * blockBytes + next.offset;
    area = at + next.length > reader.size ? null : Buffer.from(bytesAt(reader, at, next.length));
    if (area === null) fields.fault('truncated', 'a record goes on outside the image');
  }
  return fields.result();
}

interface Continuation {
  readonly block: number;
  readonly offset: number;
  readonly length: number;
}

/** Gathers the fields of one record. */
class Fields {
  readonly #at: number;
  readonly #faults: ContainerFault[] = [];
  #name: ByteString | null = null;
  #target: ByteString | null = null;
  /** Whether the next component of the target goes on in the last one. */
  #joins = true;
  #mode: number | null = null;
  #child: number | null = null;
  #relocated = false;
  #skip: number | null = null;

  /** @param at offset of the record, for faults */
  constructor(at: number) {
    this.#at = at;
  }

  /** Reads the fields of one area. Returns where they go on. */
  read(area: Buffer): Continuation | null {
    let next: Continuation | null = null;
    for (let at = 0; at + FIELD_BYTES <= area.length; at += byteAt(area, at + 2)) {
      const length = byteAt(area, at + 2);
      // other programs keep other things there
      if (length < FIELD_BYTES || at + length > area.length) break;
      const signature = area.toString('latin1', at, at + 2);
      if (signature === 'ST') break;
      const field = area.subarray(at, at + length);
      if (signature === 'CE' && length >= 28) {
        const [block = 0, offset = 0, bytes = 0] = [4, 12, 20].map((k) => LITTLE_ENDIAN.u32(field, k));
        next = { block, offset, length: bytes };
      } else {
        this.#field(signature, field);
      }
    }
    return next;
  }

  #field(signature: string, field: Buffer): void {
    const { length } = field;
    switch (signature) {
      case 'SP':
        if (length >= 7 && field[4] === 0xbe && field[5] === 0xef) this.#skip = byteAt(field, 6);
        break;
      case 'PX':
        if (length >= 8) this.#mode = LITTLE_ENDIAN.u32(field, 4);
        break;
      case 'NM':
        if (length >= 5) this.#nameField(field);
        break;
      case 'SL':
        this.#linkField(field);
        break;
      case 'CL':
        if (length >= 8) this.#child = LITTLE_ENDIAN.u32(field, 4);
        break;
      case 'RE':
        this.#relocated = true;
        break;
      case 'SF':
        this.fault('unsupported', 'a sparse file');
        break;
      default:
    }
  }

  #nameField(field: Buffer): void {
    const flags = byteAt(field, 4);
    const part = (flags & CURRENT) !== 0 ? '.' : (flags & PARENT) !== 0 ? '..' : byteStringOf(field, 5);
    const name = (this.#name ?? '') + part;
    if (name.length > LIMITS.archiveNameBytes) this.fault('limit-size', 'a name that is too long');
    else this.#name = name;
  }

  /** Components of a target: flags, length, and the text of those that have one. */
  #linkField(field: Buffer): void {
    let target = this.#target ?? '';
    for (let at = 5; at + 2 <= field.length; at += 2 + byteAt(field, at + 1)) {
      const flags = byteAt(field, at);
      const text = byteStringOf(field, at + 2, Math.min(field.length, at + 2 + byteAt(field, at + 1)));
      if ((flags & ROOT) !== 0) {
        // within a path it stands for slashes that follow one another
        target += this.#joins ? '/' : '//';
        this.#joins = true;
        continue;
      }
      const part = (flags & CURRENT) !== 0 ? '.' : (flags & PARENT) !== 0 ? '..' : text;
      target += this.#joins ? part : `/${part}`;
      this.#joins = (flags & CONTINUES) !== 0;
    }
    if (target.length > LIMITS.isoTargetBytes) this.fault('limit-size', 'a link target that is too long');
    else this.#target = target;
  }

  fault(reason: ContainerFault['reason'], detail: string): void {
    this.#faults.push(faultOf(reason, this.#at, detail));
  }

  result(): SystemUse {
    return {
      name: this.#name,
      target: this.#target,
      mode: this.#mode,
      child: this.#child,
      relocated: this.#relocated,
      skip: this.#skip,
      faults: this.#faults,
    };
  }
}
