import type { ByteString } from '../../model/bytes.ts';
import { LIMITS } from '../../model/limits.ts';
import type { Input } from '../compression/input.ts';
import { byteStringOf, cStringOf, endsEarly } from '../memberBody.ts';

/** How a header names its member. */
export type NameForm =
  | { readonly form: 'plain'; readonly name: ByteString }
  /** BSD: the name is the first bytes of the contents. */
  | { readonly form: 'inside'; readonly length: number }
  /** GNU: the name stands in the table of long names. */
  | { readonly form: 'table'; readonly at: number };

const INSIDE = /^#1\/([0-9]{1,10})$/;
/** A thin archive can say where in another archive the member stands. */
const IN_TABLE = /^\/([0-9]{1,10})(?::[0-9]{1,10})?$/;

/** What the name's field of a header means (ar(5); GNU binutils, bfd/archive.c). */
export function nameFormOf(field: ByteString): NameForm {
  const inside = INSIDE.exec(field)?.[1];
  if (inside !== undefined) return { form: 'inside', length: Number.parseInt(inside, 10) };
  const at = IN_TABLE.exec(field)?.[1];
  if (at !== undefined) return { form: 'table', at: Number.parseInt(at, 10) };
  const isGnu = field.endsWith('/') && !field.startsWith('/');
  return { form: 'plain', name: isGnu ? field.slice(0, -1) : field };
}

/** The tables of GNU archives, which have bytes in thin ones, too. */
export function isTable(field: ByteString): boolean {
  return field === '/' || field === '//' || field === '/SYM64/';
}

/** GNU's table of long names. */
export class NameTable {
  #bytes: Uint8Array | null = null;

  /**
   * Reads the table, of a size within the limit.
   * @throws NarScanError CONTAINER_TRUNCATED, what the source throws
   */
  async read(input: Input, size: number): Promise<void> {
    const parts: Uint8Array[] = [];
    for (let left = size; left > 0;) {
      if (!(await input.fill(1))) throw endsEarly(input, 'ar');
      const piece = input.peek(left).slice();
      parts.push(piece);
      left -= piece.length;
      input.start += piece.length;
    }
    this.#bytes = Buffer.concat(parts, size);
  }

  /** The name that begins at `at`; null where the table has none. */
  nameAt(at: number): ByteString | null {
    const table = this.#bytes;
    if (table === null || at >= table.length) return null;
    const rest = table.subarray(at, at + LIMITS.archiveNameBytes);
    const newline = rest.indexOf(0x0a);
    const atTableEnd = at + rest.length === table.length;
    // Microsoft's tools end a name with NUL, GNU's with a slash and a newline.
    const name = cStringOf(rest, 0, newline < 0 ? rest.length : newline);
    if (newline < 0 && !atTableEnd && name.length === rest.length) return null;
    return name.endsWith('/') ? name.slice(0, -1) : name;
  }
}

/**
 * Reads a BSD name of `length` bytes, within the limit, from the beginning of the contents.
 * @throws NarScanError CONTAINER_TRUNCATED, what the source throws
 */
export async function readNameInside(input: Input, length: number): Promise<ByteString> {
  if (!(await input.fill(length))) throw endsEarly(input, 'ar');
  const name = byteStringOf(input.bytes, input.start, input.start + length);
  input.start += length;
  let end = name.length;
  while (end > 0 && name.charCodeAt(end - 1) === 0) end -= 1;
  return name.slice(0, end);
}
