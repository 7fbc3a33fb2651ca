/** What runs the search: WebAssembly with relaxed SIMD, with plain SIMD, or TypeScript alone. */
export type EngineName = 'relaxed-simd' | 'simd' | 'scalar';

/** Takes one occurrence: the needle's index in the loaded set and the address of its first byte. */
export type OnHit = (needle: number, address: number) => void;

/** Needles, one character a byte, with the bucket and offset of the bytes that each is found by. */
export type Places = readonly (readonly [needle: string, bucket: number, offset: number])[];

/**
 * A multi-pattern byte search over a memory of its own. The caller reads files straight into
 * `memory` between `base` and `base + size` and lets the matcher search windows of it.
 */
export interface Matcher {
  readonly engine: EngineName;
  /** The kernel's whole memory; it never grows, so views of it stay valid. */
  readonly memory: Uint8Array;
  /** First address the caller may use. */
  readonly base: number;
  /** How many bytes from `base` on are the caller's; at least 64 readable bytes follow them. */
  readonly size: number;
  /**
   * Replaces the needle set. `places` are those of an earlier plan: they save time, and change nothing else.
   * `hasty`: little is to be searched, so planning is to end soon, and each byte may take longer.
   *
   * @throws NarScanError KERNEL_NEEDLE_COUNT, KERNEL_NEEDLE_LENGTH; the old set is then still loaded.
   */
  load(needles: readonly Uint8Array[], places?: Places, hasty?: boolean): void;
  /**
   * Finds every occurrence, overlapping ones too, of every needle whose first byte lies in
   * [from, to) and whose last byte lies before `limit` (`limit` ≥ `to`; all are addresses). Calls
   * `onHit` in ascending address, then ascending needle index. No byte outside [from, limit)
   * decides anything, and nothing of the caller's is written. `onHit` must not call the matcher.
   *
   * @throws NarScanError KERNEL_RANGE when the addresses are not in order or not the caller's, or
   *   when no needles are loaded.
   */
  search(from: number, to: number, limit: number, onHit: OnHit): void;
}
