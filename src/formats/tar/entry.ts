import type { ByteString } from '../../model/bytes.ts';
import { corrupt } from '../memberBody.ts';
import { valueOf } from './extended.ts';
import type { ExtendedHeaders } from './extended.ts';
import type { TarHeader } from './header.ts';

/** A member as its own header and those before it describe it. */
export interface TarEntry {
  readonly name: ByteString;
  readonly target: ByteString;
  /** Bytes that stand in the archive. */
  readonly size: number;
  /** The contents begin with a map of the file's holes (GNU sparse format 1.0). */
  readonly mapInside: boolean;
  /** Where two readers may understand two things. */
  readonly faults: readonly string[];
}

/**
 * Puts together what the headers say. PAX records win over GNU's long names, these over the header.
 * @throws NarScanError CONTAINER_CORRUPT where nobody can know where the next header stands
 */
export function entryOf(header: TarHeader, extended: ExtendedHeaders, at: number): TarEntry {
  const { pax, longName, longTarget, faults } = extended.next();
  const path = valueOf(pax, 'path');
  const linkPath = valueOf(pax, 'linkpath');
  if (differ(path, longName) || differ(linkPath, longTarget)) {
    faults.push('a PAX header and a GNU header name it in two ways');
  }
  return {
    name: valueOf(pax, 'GNU.sparse.name') ?? path ?? longName ?? header.name,
    target: linkPath ?? longTarget ?? header.target,
    size: sizeOf(header, valueOf(pax, 'size'), faults, at),
    mapInside: valueOf(pax, 'GNU.sparse.major') === '1',
    faults,
  };
}

function differ(pax: ByteString | null, gnu: ByteString | null): boolean {
  return pax !== null && gnu !== null && pax !== gnu;
}

const DECIMAL = /^[0-9]+$/;

function sizeOf(header: TarHeader, record: ByteString | null, faults: string[], at: number): number {
  const own = header.size;
  if (own?.plain === false) faults.push('the size field can be read in two ways');
  if (record !== null) {
    if (!DECIMAL.test(record)) {
      faults.push('the PAX size is no number');
    } else {
      const size = Math.min(Number(record), Number.MAX_SAFE_INTEGER);
      // Writers leave the field empty where only PAX can hold the size.
      if (own === null || (own.value !== 0 && own.value !== size)) {
        faults.push('the PAX size and the size field disagree');
      }
      return size;
    }
  }
  if (own === null) throw corrupt('tar', at, 'the size field is no number');
  return own.value;
}
