import { CANDIDATES, CLASSES, FINGERPRINT_HEADS, FLAGS, MASKS, NIBBLE, RESULTS, STEPS } from './layout';
import { isFull, verify } from './hits';
import { BLOCK, fetchNext, fetchNextWide, WIDE_BLOCK } from './fetch';
import { swizzle, swizzleLow } from './swizzle';

// One pass: 64 addresses a step, one branch. A step that may hold something is looked at byte by
// byte; all that is common to the three strategies is here.

/** What is searched before candidates are tried. */
const STRETCH: u32 = 4096;

/** Distance of the second and third fingerprint byte from the first. */
let second: u32 = 0;
let third: u32 = 0;

/** To be called whenever the tables were written. */
export function setDistances(toSecond: u32, toThird: u32): void {
  second = toSecond;
  third = toThird;
}

/** 0xff where the byte is a member of the class. Members are ASCII with distinct low nibbles. */
// @ts-ignore: decorator
@inline
function isMember(members: v128, bytes: v128): v128 {
  return i8x16.eq(swizzleLow(members, bytes), bytes);
}

// @ts-ignore: decorator
@inline
function bits(a: v128, b: v128, c: v128, d: v128): u64 {
  const low = <u32>i8x16.bitmask(a) | (<u32>i8x16.bitmask(b) << 16);
  const high = <u32>i8x16.bitmask(c) | (<u32>i8x16.bitmask(d) << 16);
  return <u64>low | (<u64>high << 32);
}

// @ts-ignore: decorator
@inline
function slotAt(at: u32): u32 {
  return (
    (<u32>load<u8>(at) & 15) | ((<u32>load<u8>(at + second) & 15) << 4) | ((<u32>load<u8>(at + third) & 15) << 8)
  );
}

/** Tries the candidates of one step. Returns the first one that was not tried, or 0. */
function tryAll(step: u32, candidates: u64, end: u32): u32 {
  for (; candidates != 0; candidates &= candidates - 1) {
    const candidate = step + <u32>ctz(candidates);
    if (candidate >= end) return 0;
    if (isFull()) return candidate;
    verify(FINGERPRINT_HEADS, slotAt(candidate), candidate);
  }
  return 0;
}

// @ts-ignore: decorator
@inline
function pair(a: v128, b: v128, x: v128, y: v128): v128 {
  return v128.and(isMember(a, x), isMember(b, y));
}

/** The candidates of one step, bit i for at + i. */
function pairsOf(at: u32): u64 {
  const a = v128.load(CLASSES);
  const b = v128.load(CLASSES + 16);
  const y = at + second;
  const r0 = pair(a, b, v128.load(at), v128.load(y));
  const r1 = pair(a, b, v128.load(at, 16), v128.load(y, 16));
  const r2 = pair(a, b, v128.load(at, 32), v128.load(y, 32));
  const r3 = pair(a, b, v128.load(at, 48), v128.load(y, 48));
  return bits(r0, r1, r2, r3);
}

/**
 * Fingerprints of two bytes: a class each.
 *
 * @returns the address up to which every candidate was tried: `end`, or less when HITS is full
 */
export function searchPairs(at: u32, end: u32): u32 {
  const a = v128.load(CLASSES);
  const b = v128.load(CLASSES + 16);
  let touched: u32 = 0;
  while (at < end) {
    const stretch = min(at + STRETCH, end);
    let next: u32 = STEPS;
    while (at < stretch) {
      const stop = min(at + BLOCK, stretch);
      touched |= fetchNext(at, end);
      for (; at < stop; at += 64) {
        const y = at + second;
        const r0 = pair(a, b, v128.load(at), v128.load(y));
        const r1 = pair(a, b, v128.load(at, 16), v128.load(y, 16));
        const r2 = pair(a, b, v128.load(at, 32), v128.load(y, 32));
        const r3 = pair(a, b, v128.load(at, 48), v128.load(y, 48));
        store<u32>(next, at);
        next += <u32>v128.any_true(v128.or(v128.or(r0, r1), v128.or(r2, r3))) << 2;
      }
    }
    for (let step: u32 = STEPS; step < next; step += 4) {
      const untried = tryAll(load<u32>(step), pairsOf(load<u32>(step)), end);
      if (untried != 0) return untried;
    }
  }
  // never more: a use of what was touched
  return touched > 255 ? at : end;
}

// @ts-ignore: decorator
@inline
function triple(a: v128, b: v128, c: v128, x: v128, y: v128, z: v128): v128 {
  return v128.and(v128.and(isMember(a, x), isMember(b, y)), isMember(c, z));
}

function triplesOf(at: u32): u64 {
  const a = v128.load(CLASSES);
  const b = v128.load(CLASSES + 16);
  const c = v128.load(CLASSES + 32);
  const y = at + second;
  const z = at + third;
  const r0 = triple(a, b, c, v128.load(at), v128.load(y), v128.load(z));
  const r1 = triple(a, b, c, v128.load(at, 16), v128.load(y, 16), v128.load(z, 16));
  const r2 = triple(a, b, c, v128.load(at, 32), v128.load(y, 32), v128.load(z, 32));
  const r3 = triple(a, b, c, v128.load(at, 48), v128.load(y, 48), v128.load(z, 48));
  return bits(r0, r1, r2, r3);
}

/** Fingerprints of three bytes: a class each. Returns as searchPairs. */
export function searchTriples(at: u32, end: u32): u32 {
  const a = v128.load(CLASSES);
  const b = v128.load(CLASSES + 16);
  const c = v128.load(CLASSES + 32);
  let touched: u32 = 0;
  while (at < end) {
    const stretch = min(at + STRETCH, end);
    let next: u32 = STEPS;
    while (at < stretch) {
      const stop = min(at + BLOCK, stretch);
      touched |= fetchNext(at, end);
      for (; at < stop; at += 64) {
        const y = at + second;
        const z = at + third;
        const r0 = triple(a, b, c, v128.load(at), v128.load(y), v128.load(z));
        const r1 = triple(a, b, c, v128.load(at, 16), v128.load(y, 16), v128.load(z, 16));
        const r2 = triple(a, b, c, v128.load(at, 32), v128.load(y, 32), v128.load(z, 32));
        const r3 = triple(a, b, c, v128.load(at, 48), v128.load(y, 48), v128.load(z, 48));
        store<u32>(next, at);
        next += <u32>v128.any_true(v128.or(v128.or(r0, r1), v128.or(r2, r3))) << 2;
      }
    }
    for (let step: u32 = STEPS; step < next; step += 4) {
      const untried = tryAll(load<u32>(step), triplesOf(load<u32>(step)), end);
      if (untried != 0) return untried;
    }
  }
  // never more: a use of what was touched
  return touched > 255 ? at : end;
}

/** 0xff where no bucket's bit is set. */
// @ts-ignore: decorator
@inline
function isNone(result: u32): v128 {
  return i8x16.eq(v128.load(result), i8x16.splat(0));
}

/** The slot of a needle in buckets, by the three bytes of its fingerprint, which are the low ones. */
export function bucketSlot(bytes: u32): u32 {
  // the odd constant 0x9e3779b1, moved so that the fourth byte goes out
  return (bytes * 0x3779b100) >> 20;
}

/**
 * Lists the candidates of one step whose slot holds a needle, behind the others. Most hold none, but to
 * branch by that would cost more than to write each and go on or not.
 */
// @ts-ignore: decorator
@inline
function listOf(step: u32, last: u32): u32 {
  const result = RESULTS + ((step - STEPS) << 4);
  const at = load<u32>(step);
  let candidates = ~bits(isNone(result), isNone(result + 16), isNone(result + 32), isNone(result + 48));
  do {
    const candidate = at + <u32>ctz(candidates);
    store<u32>(last, candidate);
    last += load<u8>(FLAGS + bucketSlot(load<u32>(candidate)));
    candidates &= candidates - 1;
  } while (candidates != 0);
  return last;
}

/** Looks up by low nibble, of bytes from 0x80 on as swizzleLow does, or of any. */
// @ts-ignore: decorator
@inline
function lookUp(table: v128, bytes: v128, nibble: v128, any: bool): v128 {
  return swizzle(table, any || !ASC_FEATURE_RELAXED_SIMD ? v128.and(bytes, nibble) : bytes);
}

/** A bit for each bucket of which a fingerprint may begin at an address, by the four bytes from there on. */
// @ts-ignore: decorator
@inline
function bucketsOf(
  w: v128, x: v128, y: v128, z: v128, t0: v128, t1: v128, t2: v128, t3: v128, t4: v128, nibble: v128, any: bool,
): v128 {
  const first = v128.and(lookUp(t0, w, nibble, any), swizzle(t1, v128.and(i16x8.shr_u(w, 4), nibble)));
  const isNot = v128.or(lookUp(t2, x, nibble, any), lookUp(t4, z, nibble, any));
  return v128.andnot(v128.and(first, lookUp(t3, y, nibble, any)), isNot);
}

// @ts-ignore: decorator
@inline
function search(at: u32, end: u32, any: bool): u32 {
  const nibble = v128.load(NIBBLE);
  const t0 = v128.load(MASKS);
  const t1 = v128.load(MASKS + 16);
  const t2 = v128.load(MASKS + 32);
  const t3 = v128.load(MASKS + 48);
  const t4 = v128.load(MASKS + 64);
  let touched: u32 = 0;
  while (at < end) {
    const stretch = min(at + STRETCH, end);
    let next: u32 = STEPS;
    while (at < stretch) {
      const stop = min(at + WIDE_BLOCK, stretch);
      touched |= fetchNextWide(at, end);
      for (; at < stop; at += 64) {
        const w0 = v128.load(at);
        const x0 = v128.load(at, 1);
        const y0 = v128.load(at, 2);
        const z0 = v128.load(at, 3);
        const r0 = bucketsOf(w0, x0, y0, z0, t0, t1, t2, t3, t4, nibble, any);
        const w1 = v128.load(at, 16);
        const x1 = v128.load(at, 17);
        const y1 = v128.load(at, 18);
        const z1 = v128.load(at, 19);
        const r1 = bucketsOf(w1, x1, y1, z1, t0, t1, t2, t3, t4, nibble, any);
        const w2 = v128.load(at, 32);
        const x2 = v128.load(at, 33);
        const y2 = v128.load(at, 34);
        const z2 = v128.load(at, 35);
        const r2 = bucketsOf(w2, x2, y2, z2, t0, t1, t2, t3, t4, nibble, any);
        const w3 = v128.load(at, 48);
        const x3 = v128.load(at, 49);
        const y3 = v128.load(at, 50);
        const z3 = v128.load(at, 51);
        const r3 = bucketsOf(w3, x3, y3, z3, t0, t1, t2, t3, t4, nibble, any);
        // kept beside the step's address, for to find it out again would cost more
        const result = RESULTS + ((next - STEPS) << 4);
        v128.store(result, r0);
        v128.store(result, r1, 16);
        v128.store(result, r2, 32);
        v128.store(result, r3, 48);
        store<u32>(next, at);
        next += <u32>v128.any_true(v128.or(v128.or(r0, r1), v128.or(r2, r3))) << 2;
      }
    }
    let last: u32 = CANDIDATES;
    for (let step: u32 = STEPS; step < next; step += 4) last = listOf(step, last);
    for (let each: u32 = CANDIDATES; each < last; each += 4) {
      const candidate = load<u32>(each);
      if (candidate >= end) break;
      if (isFull()) return candidate;
      verify(FINGERPRINT_HEADS, bucketSlot(load<u32>(candidate)), candidate);
    }
  }
  // never more: a use of what was touched
  return touched > 255 ? at : end;
}

/**
 * Fingerprints of three adjacent bytes in eight buckets, and of a fourth where the needle has one. The first and
 * the third are ASCII: there a byte from 0x80 on is of no bucket, at the others it may be of any. Of the first
 * counts all, of the others the low nibble. Returns as searchPairs.
 */
export function searchBuckets(at: u32, end: u32): u32 {
  return search(at, end, false);
}

/** The same for fingerprints of any bytes, by two operations more. */
export function searchAnyBuckets(at: u32, end: u32): u32 {
  return search(at, end, true);
}
