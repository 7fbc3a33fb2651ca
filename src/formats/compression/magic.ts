import type { Input } from './input.ts';

/** The bytes that streams begin with. */
export const MAGIC = {
  xz: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00],
  zstd: [0x28, 0xb5, 0x2f, 0xfd],
  /** The low half of the first byte is free. lz4 frames have the same. */
  zstdSkippable: [0x50, 0x2a, 0x4d, 0x18],
  /** `BZh`, then the block size as a digit. */
  bzip2: [0x42, 0x5a, 0x68],
  /** With the only method there is, deflate. */
  gzip: [0x1f, 0x8b, 0x08],
  lz4: [0x04, 0x22, 0x4d, 0x18],
  lz4Legacy: [0x02, 0x21, 0x4c, 0x18],
  lzip: [0x4c, 0x5a, 0x49, 0x50],
  compress: [0x1f, 0x9d],
} as const satisfies Record<string, readonly number[]>;

/**
 * How the unread bytes compare with a magic: `match`, `prefix` (they end within it), `none` (there
 * are none), `other`. Nothing is skipped.
 */
export async function matchMagic(
  input: Input,
  magic: readonly number[],
): Promise<'match' | 'prefix' | 'none' | 'other'> {
  const whole = await input.fill(magic.length);
  const head = input.peek(magic.length);
  if (head.length === 0) return 'none';
  if (!head.every((byte, index) => byte === magic[index])) return 'other';
  return whole ? 'match' : 'prefix';
}

/** Properties, dictionary size, decoded size. */
export const LZMA_HEADER_BYTES = 13;

/**
 * Whether 13 bytes can be the header of an lzma-alone file, by the rules of xz: literal and
 * position bits in range, a dictionary of 2^n or 2^n + 2^(n-1) bytes, a size that is unknown or
 * below 256 GiB. A weak magic: about one in a million random headers passes.
 */
export function looksLikeLzma(head: Uint8Array): boolean {
  if (head.length < LZMA_HEADER_BYTES) return false;
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const properties = view.getUint8(0);
  if (properties >= 9 * 5 * 5 || (properties % 9) + (Math.floor(properties / 9) % 5) > 4) return false;
  const dictionary = view.getUint32(1, true);
  const power = 2 ** Math.floor(Math.log2(dictionary));
  if (dictionary === 0) return false;
  if (dictionary !== 0xffff_ffff && dictionary !== power && dictionary !== power * 1.5) return false;
  const size = view.getBigUint64(5, true);
  return size === 0xffff_ffff_ffff_ffffn || size < 1n << 38n;
}

export const ZLIB_HEADER_BYTES = 2;

/** Whether two bytes can begin a zlib stream (RFC 1950, 2.2): deflate, a window that exists, the check bits. */
export function isZlibHeader(method: number, flags: number): boolean {
  return (method & 0x8f) === 0x08 && (method * 256 + flags) % 31 === 0;
}
