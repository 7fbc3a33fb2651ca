/**
 * Integers of either byte order out of a byte view. Offsets are not checked: the caller asks only
 * for bytes that it has; those outside the view are 0. Tables have many of them, so no integer costs a call for
 * each of its bytes, or a bigint where a number does.
 */
export interface Integers {
  readonly u16: (bytes: Uint8Array, at: number) => number;
  readonly u32: (bytes: Uint8Array, at: number) => number;
  /** Exact below 2^53. Above it the value is rounded, and still larger than any file. */
  readonly u64: (bytes: Uint8Array, at: number) => number;
  /** Exact: for addresses, which are subtracted from one another. */
  readonly address: (bytes: Uint8Array, at: number, wide: boolean) => bigint;
  /** Exact as well: a bigint only where a number would be rounded. */
  readonly exact: (bytes: Uint8Array, at: number, wide: boolean) => number | bigint;
  /** The lowest 32 bits of 64, or of 32 where it is not wide. */
  readonly lowest: (bytes: Uint8Array, at: number, wide: boolean) => number;
}

const TWO_32 = 4_294_967_296;

/** The byte at `at`; 0 outside the view. */
export const byteAt = (bytes: Uint8Array, at: number): number => bytes[at] ?? 0;

// what is undefined counts as 0 where bits are joined
function u32le(bytes: Uint8Array, at: number): number {
  const low = (bytes[at] as number) | ((bytes[at + 1] as number) << 8);
  return (low | ((bytes[at + 2] as number) << 16) | ((bytes[at + 3] as number) << 24)) >>> 0;
}

function u32be(bytes: Uint8Array, at: number): number {
  const high = ((bytes[at] as number) << 24) | ((bytes[at + 1] as number) << 16);
  return (high | ((bytes[at + 2] as number) << 8) | (bytes[at + 3] as number)) >>> 0;
}

const joined = (high: number, low: number): bigint => (BigInt(high) << 32n) | BigInt(low);

function exactly(high: number, low: number): number | bigint {
  const rounded = high * TWO_32 + low;
  return Number.isSafeInteger(rounded) ? rounded : joined(high, low);
}

export const LITTLE_ENDIAN: Integers = {
  u16: (bytes, at) => (bytes[at] as number) | ((bytes[at + 1] as number) << 8),
  u32: u32le,
  u64: (bytes, at) => u32le(bytes, at + 4) * TWO_32 + u32le(bytes, at),
  address: (bytes, at, wide) => joined(wide ? u32le(bytes, at + 4) : 0, u32le(bytes, at)),
  exact: (bytes, at, wide) => exactly(wide ? u32le(bytes, at + 4) : 0, u32le(bytes, at)),
  lowest: u32le,
};

export const BIG_ENDIAN: Integers = {
  u16: (bytes, at) => ((bytes[at] as number) << 8) | (bytes[at + 1] as number),
  u32: u32be,
  u64: (bytes, at) => u32be(bytes, at) * TWO_32 + u32be(bytes, at + 4),
  address: (bytes, at, wide) => joined(wide ? u32be(bytes, at) : 0, u32be(bytes, wide ? at + 4 : at)),
  exact: (bytes, at, wide) => exactly(wide ? u32be(bytes, at) : 0, u32be(bytes, wide ? at + 4 : at)),
  lowest: (bytes, at, wide) => u32be(bytes, wide ? at + 4 : at),
};
