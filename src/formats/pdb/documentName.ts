import { NarScanError } from '../../model/errors.ts';
import { BIG_ENDIAN, byteAt } from '../integers.ts';

/** No path of any system is as long, nor has as many parts: time stays linear in what names a name. */
const NAME_BYTES = 32 * 1024;
const MAX_PARTS = 4096;

/** A blob of a heap: its bytes behind their length. */
function blobAt(heap: Uint8Array, index: number): Uint8Array {
  const length = compressedAt(heap, index);
  const start = index + length.bytes;
  if (start + length.value > heap.length) throw corrupt(index, 'a name outside the heap');
  return heap.subarray(start, start + length.value);
}

/** A number of one, two or four bytes, as its first bits say. Source: ECMA-335, II.23.2. */
function compressedAt(bytes: Uint8Array, at: number): { readonly value: number; readonly bytes: number } {
  const first = byteAt(bytes, at);
  const length = first < 0x80 ? 1 : first < 0xc0 ? 2 : 4;
  if (first >= 0xe0 || at + length > bytes.length) throw corrupt(at, 'a number of unknown length');
  if (length === 1) return { value: first, bytes: 1 };
  if (length === 2) return { value: BIG_ENDIAN.u16(bytes, at) & 0x3fff, bytes: 2 };
  return { value: BIG_ENDIAN.u32(bytes, at) & 0x1fff_ffff, bytes: 4 };
}

/**
 * The name of a document and a NUL: a separator, then its parts by their index in the same heap.
 *
 * @param heap all of `#Blob`
 * @param budget bytes that lists of parts may still have in all: they lie apart, unless somebody wants to keep us busy
 * @throws NarScanError CONTAINER_CORRUPT
 */
export function documentName(heap: Uint8Array, index: number, budget: { left: number }): Uint8Array {
  const blob = blobAt(heap, index);
  budget.left -= blob.length;
  if (budget.left < 0) throw corrupt(index, 'names that overlap');
  if (blob.length === 0) return Uint8Array.of(0);
  const separatorBytes = utf8Bytes(byteAt(blob, 0));
  const separator = blob[0] === 0 ? new Uint8Array(0) : blob.subarray(0, separatorBytes);
  const name = [];
  let parts = 0;
  for (let at = separatorBytes; at < blob.length; parts += 1) {
    const part = compressedAt(blob, at);
    at += part.bytes;
    if (parts > 0) name.push(...separator);
    // index 0 is the empty blob that every heap begins with
    const text = blobAt(heap, part.value);
    if (name.length + text.length > NAME_BYTES || parts > MAX_PARTS)
      throw corrupt(index, 'a name that is too long');
    for (const byte of text) name.push(byte);
  }
  name.push(0);
  return Uint8Array.from(name);
}

/** Bytes of a character by its first. */
function utf8Bytes(first: number): number {
  return first < 0xc0 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

function corrupt(offset: number, what: string): NarScanError {
  return new NarScanError('CONTAINER_CORRUPT', `portable PDB: ${what}`, { offset });
}
