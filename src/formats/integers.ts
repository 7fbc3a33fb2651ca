/**
 * Integers of either byte order out of a byte view. Offsets are not checked: the caller asks only
 * for bytes that it has.
 */
export interface Integers {
  readonly u16: (bytes: Uint8Array, at: number) => number;
  readonly u32: (bytes: Uint8Array, at: number) => number;
  /** Exact below 2^53. Above it the value is rounded, and still larger than any file. */
  readonly u64: (bytes: Uint8Array, at: number) => number;
  /** Exact: for addresses, which are subtracted from one another. */
  readonly address: (bytes: Uint8Array, at: number, wide: boolean) => bigint;
}

const TWO_32 = 4_294_967_296;

/** The byte at `at`; 0 outside the view. */
export const byteAt = (bytes: Uint8Array, at: number): number => bytes[at] ?? 0;

function u32le(bytes: Uint8Array, at: number): number {
  return (
    (byteAt(bytes, at) |
      (byteAt(bytes, at + 1) << 8) |
      (byteAt(bytes, at + 2) << 16) |
      (byteAt(bytes, at + 3) << 24)) >>>
    0
  );
}

function u32be(bytes: Uint8Array, at: number): number {
  return (
    ((byteAt(bytes, at) << 24) |
      (byteAt(bytes, at + 1) << 16) |
      (byteAt(bytes, at + 2) << 8) |
      byteAt(bytes, at + 3)) >>>
    0
  );
}

export const LITTLE_ENDIAN: Integers = {
  u16: (bytes, at) => byteAt(bytes, at) | (byteAt(bytes, at + 1) << 8),
  u32: u32le,
  u64: (bytes, at) => u32le(bytes, at + 4) * TWO_32 + u32le(bytes, at),
  address: (bytes, at, wide) =>
    wide ? (BigInt(u32le(bytes, at + 4)) << 32n) | BigInt(u32le(bytes, at)) : BigInt(u32le(bytes, at)),
};

export const BIG_ENDIAN: Integers = {
  u16: (bytes, at) => (byteAt(bytes, at) << 8) | byteAt(bytes, at + 1),
  u32: u32be,
  u64: (bytes, at) => u32be(bytes, at) * TWO_32 + u32be(bytes, at + 4),
  address: (bytes, at, wide) =>
    wide ? (BigInt(u32be(bytes, at)) << 32n) | BigInt(u32be(bytes, at + 4)) : BigInt(u32be(bytes, at)),
};
