import type { EngineName, Matcher } from '../../src/kernel/matcher.ts';
import { createMatcher } from '../../src/kernel/create.ts';

/** Relaxed swizzle is of use, and chosen, on x86 only. */
export const ENGINES: readonly EngineName[] =
  process.arch === 'x64' ? ['scalar', 'simd', 'relaxed-simd'] : ['scalar', 'simd'];

export type Hit = readonly [address: number, needle: number];

const matchers = new Map<EngineName, Matcher>();
const SIZE = 1 << 20;

/** One matcher an engine for the whole test file; forced, so a missing engine fails the test. */
export function matcherOf(engine: EngineName): Matcher {
  const matcher = matchers.get(engine) ?? createMatcher({ size: SIZE, engine });
  matchers.set(engine, matcher);
  return matcher;
}

export function bytes(text: string): Uint8Array {
  return Buffer.from(text, 'latin1');
}

/** Hits with addresses relative to `origin`. */
export function searchIn(matcher: Matcher, from: number, to: number, limit: number, origin: number): Hit[] {
  const hits: Hit[] = [];
  matcher.search(from, to, limit, (needle, address) => hits.push([address - origin, needle]));
  return hits;
}

/** What the contract says, by indexOf. */
export function naive(needles: readonly Uint8Array[], data: Uint8Array, from: number, to: number): Hit[] {
  const haystack = Buffer.from(data.buffer, data.byteOffset, data.length);
  const hits: Hit[] = [];
  for (const [index, needle] of needles.entries()) {
    for (let at = haystack.indexOf(needle, from); at >= 0 && at < to; at = haystack.indexOf(needle, at + 1)) {
      hits.push([at, index]);
    }
  }
  return hits.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
}
