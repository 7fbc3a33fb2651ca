import { MAGIC } from './grammar.ts';

/** Bytes that {@link sniffNar} needs to tell one from the other. */
export const SNIFF_BYTES = 8 + MAGIC.length;

const ONE = Buffer.from([1, 0, 0, 0, 0, 0, 0, 0]);
const ZERO = Buffer.alloc(8);

/**
 * What a stream is by its first {@link SNIFF_BYTES} bytes (fewer only where it has no more): a NAR, an
 * export stream, or neither. The stream that exports nothing is eight zeros and nothing else.
 */
export function sniffNar(head: Uint8Array): 'nar' | 'export' | null {
  if (MAGIC.equals(head.subarray(0, MAGIC.length))) return 'nar';
  if (head.length === 8) return ZERO.equals(head) ? 'export' : null;
  return ONE.equals(head.subarray(0, 8)) && MAGIC.equals(head.subarray(8, SNIFF_BYTES)) ? 'export' : null;
}
