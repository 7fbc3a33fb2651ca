const AHEAD: u32 = 4096;

/**
 * Touches the cache lines of the next 4 KiB. The search has so many instructions a line that the
 * processor sees few lines ahead and waits for each when they come from memory; here it sees all.
 *
 * @returns the address up to which lines were touched
 */
export function fetch(at: u32, end: u32): u32 {
  const stop = min(at + AHEAD, end);
  let sum: u32 = 0;
  for (; at + 512 <= stop; at += 512) {
    sum |= <u32>load<u8>(at) | load<u8>(at, 64) | load<u8>(at, 128) | load<u8>(at, 192);
    sum |= <u32>load<u8>(at, 256) | load<u8>(at, 320) | load<u8>(at, 384) | load<u8>(at, 448);
  }
  // A use of the sum that never comes true: unused loads could be left out.
  return sum > 255 ? at : stop;
}
