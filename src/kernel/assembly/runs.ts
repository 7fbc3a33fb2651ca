import { ALPHABET, RUN_HEADS, STEPS } from './layout';
import { isFull, to, verify } from './hits';
import { swizzle, swizzleLow } from './swizzle';

// Needles of 32 or more bytes of one small alphabet (hash parts), however many. Eight bytes of every
// 24 are looked at: a run of 32 covers such a sample wherever it begins, and text hardly ever does.

const RUN: u32 = 32;
const STRIDE: u32 = RUN - 8;
const STEP: u32 = 8 * STRIDE;
/** At most 64 steps, the room in STEPS. */
const STRETCH: u32 = 20 * STEP;

/** 0xff where the byte is not of the alphabet. */
// @ts-ignore: decorator
@inline
function strangers(low: v128, high: v128, bytes: v128): v128 {
  const members = v128.and(swizzleLow(low, bytes), swizzle(high, i8x16.shr_u(bytes, 4)));
  return i8x16.eq(members, i8x16.splat(0));
}

/** Bit i: the byte at + i is not of the alphabet. */
function strangersAt(at: u32): u32 {
  return <u32>i8x16.bitmask(strangers(v128.load(ALPHABET), v128.load(ALPHABET + 16), v128.load(at)));
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
 * Tries the starts of one sample, which is all alphabet: the needle covers it, and begins in it or up
 * to 24 bytes before it. Returns the first start that was not tried, or 0.
 */
function trySample(sample: u32, at: u32): u32 {
  // How far the run reaches to either side leaves few starts, mostly one.
  const before = <u64>strangersAt(sample - 32) | ((<u64>strangersAt(sample - 16)) << 16);
  const after = <u64>strangersAt(sample + 8) | ((<u64>strangersAt(sample + 24)) << 16);
  const reach = sample + 8 + min(<u32>ctz(after | (1 << 24)), 24);
  let start = max(sample - min(<u32>clz(before << 32), STRIDE - 1), at);
  const last = min(reach - RUN, to - 1);
  for (; start <= last; start++) {
    if (isFull()) return start;
    verify(RUN_HEADS, slotOf(load<u64>(start)), start);
  }
  return 0;
}

// @ts-ignore: decorator
@inline
function samples(at: u32): v128 {
  return v128.load64_lane(at + STRIDE, v128.load64_zero(at), 1);
}

/**
 * Searches starts in [at, to).
 *
 * @returns the address up to which every start was tried: `to`, or less when HITS is full
 */
export function searchRuns(at: u32): u32 {
  const low = v128.load(ALPHABET);
  const high = v128.load(ALPHABET + 16);
  const none = i64x2.splat(0);
  // The sample at S finds the starts in (S - STRIDE, S].
  let sample = at + STRIDE - 1;
  const end = to + STRIDE - 1;
  while (sample < end) {
    const stop = min(sample + STRETCH, end);
    let next: u32 = STEPS;
    for (; sample < stop; sample += STEP) {
      const w0 = i64x2.eq(strangers(low, high, samples(sample)), none);
      const w1 = i64x2.eq(strangers(low, high, samples(sample + 2 * STRIDE)), none);
      const w2 = i64x2.eq(strangers(low, high, samples(sample + 4 * STRIDE)), none);
      const w3 = i64x2.eq(strangers(low, high, samples(sample + 6 * STRIDE)), none);
      store<u32>(next, sample);
      next += <u32>v128.any_true(v128.or(v128.or(w0, w1), v128.or(w2, w3))) << 2;
    }
    for (let step: u32 = STEPS; step < next; step += 4) {
      const first = load<u32>(step);
      for (let one = first; one < first + STEP; one += STRIDE) {
        if ((strangersAt(one) & 0xff) != 0) continue;
        const untried = trySample(one, at);
        if (untried != 0) return untried;
      }
    }
  }
  return to;
}
