export {
  searchPairs,
  searchTriples,
  searchBuckets,
  searchAnyBuckets,
  bucketSlot,
  setDistances,
} from './fingerprints';
export { setRange } from './hits';
export { searchRuns, runSlot } from './runs';
export { swizzlesByNibble } from './swizzle';
export {
  ALPHABET,
  CLASSES,
  ENTRIES,
  ENTRY_BYTES,
  FINGERPRINT_HEADS,
  FLAGS,
  HITS,
  HIT_COUNT,
  MASKS,
  NEEDLES,
  NIBBLE,
  REGION,
  RUN_HEADS,
  SLOTS,
} from './layout';
