import { ENTRIES, ENTRY_BYTES, HITS, HIT_CAPACITY, HIT_COUNT, NEEDLES_MOST } from './layout';

/** The range that is searched: first bytes of hits lie in [from, to), last bytes before limit. */
export let from: u32 = 0;
export let to: u32 = 0;
let limit: u32 = 0;

export function setRange(first: u32, end: u32, last: u32): void {
  from = first;
  to = end;
  limit = last;
}

/** A candidate can hit with every needle at once, so this many places must be free before it is tried. */
// @ts-ignore: decorator
@inline
export function isFull(): bool {
  return load<u32>(HIT_COUNT) > HIT_CAPACITY - NEEDLES_MOST;
}

/**
 * Compares the needles of one slot with the bytes whose fingerprint stands at `candidate`, and
 * keeps those that are there. The range is checked before a byte is read.
 */
export function verify(heads: u32, slot: u32, candidate: u32): void {
  let entry = ENTRIES + <u32>load<u16>(heads + slot * 2) * ENTRY_BYTES;
  const end = ENTRIES + <u32>load<u16>(heads + slot * 2 + 2) * ENTRY_BYTES;
  for (; entry < end; entry += ENTRY_BYTES) {
    const start = candidate - load<u32>(entry, 16);
    if (start < from || start >= to) continue;
    const length = load<u32>(entry, 20);
    if (length > limit - start) continue;
    if (((load<u64>(start) ^ load<u64>(entry)) & load<u64>(entry, 8)) != 0) continue;
    if (length > 8 && !isEqual(start, load<u32>(entry, 24), length)) continue;
    const count = load<u32>(HIT_COUNT);
    store<u32>(HITS + count * 8, start);
    store<u32>(HITS + count * 8, load<u32>(entry, 28), 4);
    store<u32>(HIT_COUNT, count + 1);
  }
}

/** Whether `length` > 8 bytes are equal, the first eight being known to be. */
function isEqual(a: u32, b: u32, length: u32): bool {
  const last = length - 8;
  for (let i: u32 = 8; i < last; i += 8) {
    if (load<u64>(a + i) != load<u64>(b + i)) return false;
  }
  return load<u64>(a + last) == load<u64>(b + last);
}
