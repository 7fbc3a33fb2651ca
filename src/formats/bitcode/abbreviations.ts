import { NarScanError } from '../../model/errors.ts';
import type { BitReader } from './bitReader.ts';

/** How one value is written. A width of 0 writes nothing: the value is 0, or a literal. */
export interface Scalar {
  readonly kind: 'fixed' | 'variable' | 'char6';
  readonly width: number;
}

/** How a record is written: single values that take bits, then at most one array or blob. */
export interface Abbreviation {
  readonly scalars: readonly Scalar[];
  /** `blob`: bytes as they are. */
  readonly last: { readonly elements: Scalar } | 'blob' | null;
}

/** Values in one abbreviation; LLVM's own have fewer than forty. */
const MAX_VALUES = 1024;
const WIDEST = 32;

const FIXED = 1;
const VARIABLE = 2;
const ARRAY = 3;
const CHAR6 = 4;
const BLOB = 5;

/**
 * Reads the definition of an abbreviation. Source: LLVM, BitCodeFormat, "DEFINE_ABBREV Encoding".
 * @throws NarScanError CONTAINER_CORRUPT
 */
export function readAbbreviation(bits: BitReader): Abbreviation {
  const corrupt = (what: string): NarScanError =>
    new NarScanError('CONTAINER_CORRUPT', what, { offset: bits.offset });
  const values = bits.variable(5);
  if (values > MAX_VALUES) throw corrupt(`an abbreviation of ${values} values`);
  const scalars: Scalar[] = [];
  let last: Abbreviation['last'] = null;
  const scalar = (encoding: number): Scalar => {
    if (encoding === CHAR6) return { kind: 'char6', width: 6 };
    if (encoding !== FIXED && encoding !== VARIABLE) throw corrupt('an unknown encoding');
    const width = bits.variable(5);
    // The pieces of a number need a bit for a value beside the one that says there is more.
    if (width > WIDEST || (encoding === VARIABLE && width === 1)) throw corrupt(`a value of ${width} bits`);
    return { kind: encoding === FIXED ? 'fixed' : 'variable', width };
  };
  for (let k = 0; k < values; k += 1) {
    if (last !== null) throw corrupt('an array or blob that is not the last value');
    if (bits.fixed(1) === 1) {
      bits.variable(8);
      continue;
    }
    const encoding = bits.fixed(3);
    if (encoding === BLOB) {
      last = 'blob';
    } else if (encoding === ARRAY) {
      k += 1;
      if (k + 1 !== values || bits.fixed(1) === 1) throw corrupt('an array without a kind of element');
      const elements = scalar(bits.fixed(3));
      if (elements.width === 0) throw corrupt('an array of nothing');
      last = { elements };
    } else {
      const one = scalar(encoding);
      if (one.width > 0) scalars.push(one);
    }
  }
  return { scalars, last };
}

const CHAR6_CODES = Array.from(
  'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._',
  (character) => character.charCodeAt(0),
);

/** Reads one value. */
export function readScalar(bits: BitReader, { kind, width }: Scalar): number {
  if (kind === 'variable') return bits.variable(width);
  const value = bits.fixed(width);
  return kind === 'fixed' ? value : (CHAR6_CODES[value] ?? 0);
}
