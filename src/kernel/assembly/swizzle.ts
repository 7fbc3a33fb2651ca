import { CLASSES } from './layout';

/**
 * Looks up sixteen bytes at once. Plain: an index above 15 gives 0. Relaxed: see
 * `swizzlesByNibble`.
 */
// @ts-ignore: decorator
@inline
export function swizzle(table: v128, index: v128): v128 {
  return ASC_FEATURE_RELAXED_SIMD ? i8x16.relaxed_swizzle(table, index) : i8x16.swizzle(table, index);
}

/** Looks up by low nibble. Bytes from 0x80 on give 0 or what their nibble gives: callers accept both. */
// @ts-ignore: decorator
@inline
export function swizzleLow(table: v128, bytes: v128): v128 {
  return ASC_FEATURE_RELAXED_SIMD ? swizzle(table, bytes) : swizzle(table, v128.and(bytes, i8x16.splat(15)));
}

/**
 * Whether this machine's relaxed swizzle takes index bits 0 to 3 and gives 0 where bit 7 is set, as
 * x86 does. The relaxed module runs only there: elsewhere it could save nothing.
 */
export function swizzlesByNibble(): bool {
  // Written to memory and read back, so that no compiler answers instead of the machine.
  for (let i: u32 = 0; i < 16; i++) store<u8>(CLASSES + i, <u8>(i + 1));
  for (let index: u32 = 0; index < 256; index++) {
    v128.store(CLASSES + 16, i8x16.splat(<i8>index));
    const value = <u32>i8x16.extract_lane_u(swizzle(v128.load(CLASSES), v128.load(CLASSES + 16)), 0);
    if (value != (index < 128 ? (index & 15) + 1 : 0)) return false;
  }
  return true;
}
