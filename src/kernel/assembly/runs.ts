import { ALPHABET, RUN_HEADS } from './layout';
import { isFull, verify } from './hits';
import { swizzle, swizzleLow } from './swizzle';

// Needles of 32 or more bytes of one small alphabet (hash parts), however many: each of them covers
// one whole block of 16 bytes on any grid of 16, so only blocks that are all alphabet are looked at.

/** 0xff where the byte may be of the alphabet: it is above the bound of its low nibble. Never misses. */
// @ts-ignore: decorator
@inline
function mayBe(bounds: v128, bytes: v128): v128 {
  return i8x16.gt_s(bytes, swizzleLow(bounds, bytes));
}

/** Bit i: the byte at + i is of the alphabet. */
function members(at: u32): u32 {
  const bytes = v128.load(at);
  const low = swizzle(v128.load(ALPHABET + 16), v128.and(bytes, i8x16.splat(15)));
  const high = swizzle(v128.load(ALPHABET + 32), i8x16.shr_u(bytes, 4));
  return <u32>i8x16.bitmask(i8x16.ne(v128.and(low, high), i8x16.splat(0)));
}

/** The slot of the eight bytes that a needle begins with. */
// @ts-ignore: decorator
@inline
function slotOf(word: u64): u32 {
  return <u32>((word * 0x9e3779b97f4a7c15) >> 52);
}

/** For the facade, which fills the slots. */
export function runSlot(at: u32): u32 {
  return slotOf(load<u64>(at));
}

/**
 * Tries the starts of one block: the needle covers all of it, and begins in or up to 15 bytes before
 * it. Returns the first start that was not tried, or 0.
 */
function tryBlock(block: u32, at: u32, from: u32, to: u32, limit: u32): u32 {
  if (members(block) != 0xffff) return 0;
  // How far the run reaches to either side leaves few starts, mostly one.
  const before = <u32>clz(~(members(block - 16) << 16));
  const after = <u32>ctz(~members(block + 16));
  let start = max(block - min(before, 15), at);
  const last = min(block + after - 16, to - 1);
  for (; start <= last; start++) {
    if (isFull()) return start;
    verify(RUN_HEADS, slotOf(load<u64>(start)), start, from, to, limit);
  }
  return 0;
}

/**
 * Searches starts in [at, to).
 *
 * @returns the address up to which every start was tried: `to`, or less when HITS is full
 */
export function searchRuns(at: u32, from: u32, to: u32, limit: u32): u32 {
  const bounds = v128.load(ALPHABET);
  const whole = i64x2.splat(-1);
  let block = at + 15;
  for (; block < to + 15; block += 64) {
    const w0 = i64x2.eq(mayBe(bounds, v128.load(block)), whole);
    const w1 = i64x2.eq(mayBe(bounds, v128.load(block, 16)), whole);
    const w2 = i64x2.eq(mayBe(bounds, v128.load(block, 32)), whole);
    const w3 = i64x2.eq(mayBe(bounds, v128.load(block, 48)), whole);
    if (v128.any_true(v128.or(v128.or(w0, w1), v128.or(w2, w3)))) {
      let stop: u32 = 0;
      if (i64x2.all_true(w0)) stop = tryBlock(block, at, from, to, limit);
      if (stop == 0 && i64x2.all_true(w1)) stop = tryBlock(block + 16, at, from, to, limit);
      if (stop == 0 && i64x2.all_true(w2)) stop = tryBlock(block + 32, at, from, to, limit);
      if (stop == 0 && i64x2.all_true(w3)) stop = tryBlock(block + 48, at, from, to, limit);
      if (stop != 0) return stop;
    }
  }
  return to;
}
