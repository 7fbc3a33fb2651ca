import { NarScanError } from '../model/errors.ts';
import { LIMITS } from '../model/limits.ts';

/** Shorter needles would hit everywhere, and the fingerprints need three bytes. */
const MIN_NEEDLE_BYTES = 3;

/** @throws NarScanError KERNEL_NEEDLE_COUNT, KERNEL_NEEDLE_LENGTH */
export function checkNeedles(needles: readonly Uint8Array[]): void {
  if (needles.length < 1 || needles.length > LIMITS.needles) {
    throw new NarScanError('KERNEL_NEEDLE_COUNT', `${needles.length} needles: not in 1..${LIMITS.needles}`);
  }
  for (const [index, { length }] of needles.entries()) {
    if (length < MIN_NEEDLE_BYTES || length > LIMITS.needleBytes) {
      const range = `${MIN_NEEDLE_BYTES}..${LIMITS.needleBytes}`;
      throw new NarScanError('KERNEL_NEEDLE_LENGTH', `needle ${index} has ${length} bytes: not in ${range}`);
    }
  }
}

/** The part of a matcher that says which addresses are the caller's. */
interface Region {
  readonly base: number;
  readonly size: number;
}

/** @throws NarScanError KERNEL_RANGE */
export function checkRange({ base, size }: Region, from: number, to: number, limit: number): void {
  // One chain of comparisons, so that NaN fails too.
  if (base <= from && from <= to && to <= limit && limit <= base + size) return;
  throw new NarScanError(
    'KERNEL_RANGE',
    `search of [${from}, ${to}) up to ${limit} in [${base}, ${base + size})`,
  );
}
