import { NarScanError } from '../model/errors.ts';
import { checkNeedles, checkRange } from './check.ts';
import type { Matcher } from './matcher.ts';

const SLACK = 64;

/**
 * The oracle: the same search in plain TypeScript, as simple as it can be. It runs where
 * WebAssembly SIMD cannot be had, and the tests hold the fast engines against it.
 *
 * @param size bytes of the caller's region
 */
export function createScalarMatcher(size: number): Matcher {
  const memory = new Uint8Array(size + SLACK);
  const region = { base: 0, size };
  let needles: readonly Uint8Array[] = [];
  /** Needle indices, ascending, by the needle's first two bytes. */
  let byPrefix = new Map<number, number[]>();
  /** 1 for each such pair of bytes: most addresses end here. */
  const isPrefix = new Uint8Array(1 << 16);

  return {
    engine: 'scalar',
    memory,
    ...region,
    load(next) {
      checkNeedles(next);
      needles = next.map((needle) => needle.slice());
      byPrefix = new Map();
      isPrefix.fill(0);
      for (const [index, needle] of needles.entries()) {
        const prefix = prefixAt(needle, 0);
        isPrefix[prefix] = 1;
        const indices = byPrefix.get(prefix);
        if (indices === undefined) byPrefix.set(prefix, [index]);
        else indices.push(index);
      }
    },
    search(from, to, limit, onHit) {
      checkRange(region, from, to, limit);
      if (needles.length === 0) throw new NarScanError('KERNEL_RANGE', 'search without needles');
      const end = Math.min(to, limit - 2);
      for (let address = from; address < end; address++) {
        const prefix = prefixAt(memory, address);
        if (isPrefix[prefix] === 0) continue;
        for (const index of byPrefix.get(prefix) ?? []) {
          if (isAt(needles[index] as Uint8Array, memory, address, limit)) onHit(index, address);
        }
      }
    },
  };
}

function prefixAt(bytes: Uint8Array, at: number): number {
  return (bytes[at] as number) | ((bytes[at + 1] as number) << 8);
}

function isAt(needle: Uint8Array, memory: Uint8Array, address: number, limit: number): boolean {
  if (address + needle.length > limit) return false;
  for (let i = 2; i < needle.length; i++) {
    if (memory[address + i] !== needle[i]) return false;
  }
  return true;
}
