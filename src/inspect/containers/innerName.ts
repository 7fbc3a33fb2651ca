import type { ByteString } from '../../model/bytes.ts';
import type { ContentKind } from '../../formats/magic.ts';

/** Endings of compressed files, and what stands in their place when they are unpacked. */
const ENDINGS: readonly (readonly [ending: string, inner: string])[] = [
  ['.tgz', '.tar'],
  ['.taz', '.tar'],
  ['.tbz', '.tar'],
  ['.tbz2', '.tar'],
  ['.txz', '.tar'],
  ['.tlz', '.tar'],
  ['.tzst', '.tar'],
  ['.svgz', '.svg'],
  ['.gz', ''],
  ['.xz', ''],
  ['.zst', ''],
  ['.bz2', ''],
  ['.lz4', ''],
  ['.lzip', ''],
  ['.lz', ''],
  ['.lzma', ''],
  ['.br', ''],
  ['.Z', ''],
];

/**
 * What the content of a compressed file is called: its own name without the ending
 * (`share/foo.1.gz` → `foo.1`), or the kind of compression where none is known.
 */
export function innerName(name: ByteString, kind: ContentKind): ByteString {
  const base = name.slice(name.lastIndexOf('/') + 1);
  for (const [ending, inner] of ENDINGS) {
    if (base.endsWith(ending) && base.length > ending.length) return base.slice(0, -ending.length) + inner;
  }
  return kind;
}
