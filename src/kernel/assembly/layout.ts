// Where things lie in the kernel's memory. The facade reads the exported ones from the instance, so
// that they are written down only here.

/** Byte classes of the up to three fingerprint bytes, 16 bytes each: the member with that low nibble. */
export const CLASSES: u32 = 1024;
/**
 * Teddy's bucket masks, 16 bytes each, by nibbles of a fingerprint's bytes: low and high of the first, low
 * of the others. Those of the second and the fourth have the bits of the buckets that they are not of.
 */
export const MASKS: u32 = 1024 + 48;
/** Low and high nibble table of the run alphabet: bytes of it have a bit in common. */
export const ALPHABET: u32 = 1024 + 48 + 96;
/** Sixteen times 15, read from here so that it stays in a register. */
export const NIBBLE: u32 = 1024 + 48 + 96 + 32;
/** u32: how many hits wait in HITS. */
export const HIT_COUNT: u32 = 1280;
/** u32[64]: the steps of one 4 KiB stretch that hold candidates. */
export const STEPS: u32 = 1536;
/** The most needles of a set, and the most bytes of one: LIMITS of the program. */
export const NEEDLES_MOST: u32 = 4096;
const NEEDLE_BYTES: u32 = 512;
/** Hits as pairs of u32: address, needle index. */
export const HITS: u32 = 2048;
export const HIT_CAPACITY: u32 = 4 * NEEDLES_MOST;
/** u16[SLOTS + 1]: which entry is the first of each fingerprint slot. */
export const SLOTS: u32 = 4096;
export const FINGERPRINT_HEADS: u32 = HITS + 8 * HIT_CAPACITY;
/** The same for runs. */
export const RUN_HEADS: u32 = FINGERPRINT_HEADS + 2 * SLOTS + 16;
/**
 * Entries, ENTRY_BYTES each: u64 word, u64 mask, u32 fingerprint offset, length, bytes, needle index.
 */
export const ENTRY_BYTES: u32 = 32;
export const ENTRIES: u32 = RUN_HEADS + 2 * SLOTS + 16;
/** The needles' own bytes. */
export const NEEDLES: u32 = ENTRIES + NEEDLES_MOST * ENTRY_BYTES;
/** Of each step in STEPS, what its 64 addresses are candidates of: 64 bytes, and room for one step more. */
export const RESULTS: u32 = NEEDLES + NEEDLES_MOST * NEEDLE_BYTES;
/** u32[]: the candidates of one 4 KiB stretch, and room for one more. */
export const CANDIDATES: u32 = RESULTS + 65 * 64;
/** u8[SLOTS]: of each bucket slot, by how many bytes the list of candidates grows: 4 where it holds a needle, else 0. */
export const FLAGS: u32 = CANDIDATES + 4 * (4096 + 64);
/** The caller's region. At the beginning of a page the search from memory was slower. */
export const REGION: u32 = FLAGS + SLOTS;
