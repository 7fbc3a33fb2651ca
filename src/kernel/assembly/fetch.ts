/** What is searched between two fetches. */
export const BLOCK: u32 = 512;

/**
 * Touches the cache lines of the block behind the one at `at`. The search has so many instructions a line
 * that the processor would see few lines ahead and wait for each when they come from memory. It sees as
 * many as one block has, so that with all of the next one touched first it searches while those come.
 *
 * @returns never more than 255, to be used: loads of what is not used could be left out
 */
// @ts-ignore: decorator
@inline
export function fetchNext(at: u32, end: u32): u32 {
  if (at + BLOCK >= end) return 0;
  const near = <u32>load<u8>(at, 512) | load<u8>(at, 576) | load<u8>(at, 640) | load<u8>(at, 704);
  const far = <u32>load<u8>(at, 768) | load<u8>(at, 832) | load<u8>(at, 896) | load<u8>(at, 960);
  return near | far;
}

/** The same for the search with buckets, which has fewer lines in sight: found by trying. */
export const WIDE_BLOCK: u32 = 768;

// @ts-ignore: decorator
@inline
export function fetchNextWide(at: u32, end: u32): u32 {
  if (at + WIDE_BLOCK >= end) return 0;
  const near = <u32>load<u8>(at, 768) | load<u8>(at, 832) | load<u8>(at, 896) | load<u8>(at, 960);
  const next = <u32>load<u8>(at, 1024) | load<u8>(at, 1088) | load<u8>(at, 1152) | load<u8>(at, 1216);
  const far = <u32>load<u8>(at, 1280) | load<u8>(at, 1344) | load<u8>(at, 1408) | load<u8>(at, 1472);
  return near | next | far;
}
