import type { Codec } from './codec.ts';
import { looksLikeLzma, MAGIC } from './magic.ts';

/** File endings, the ones that Nix writes and the ones that the tools of the formats do. */
const ENDINGS: readonly (readonly [string, Codec])[] = [
  ['.xz', 'xz'],
  ['.zst', 'zstd'],
  ['.bz2', 'bzip2'],
  ['.gz', 'gzip'],
  ['.br', 'br'],
  ['.lz4', 'lz4'],
  ['.lzip', 'lzip'],
  ['.lz', 'lzip'],
  ['.lzma', 'lzma'],
  ['.Z', 'compress'],
];

const BZIP2_BLOCK = [0x31, 0x41, 0x59, 0x26, 0x53, 0x59];
const BZIP2_END = [0x17, 0x72, 0x45, 0x38, 0x50, 0x90];

/** Whether the bytes from `at` on are those, as far as there are any. */
function follows(head: Uint8Array, at: number, bytes: readonly number[]): boolean {
  return bytes.every((byte, index) => at + index >= head.length || head[at + index] === byte);
}

function begins(head: Uint8Array, magic: readonly number[]): boolean {
  return head.length >= magic.length && follows(head, 0, magic);
}

/** Skippable frames are the same in zstd and lz4: what comes behind them tells, or the name. */
function behindSkippable(head: Uint8Array, ending: Codec | null): Codec {
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  let at = 0;
  while (at + 8 <= head.length && isSkippable(head.subarray(at))) at += 8 + view.getUint32(at + 4, true);
  const next = head.subarray(at);
  if (begins(next, MAGIC.lz4) || begins(next, MAGIC.lz4Legacy)) return 'lz4';
  if (begins(next, MAGIC.zstd)) return 'zstd';
  return ending === 'lz4' ? 'lz4' : 'zstd';
}

function isSkippable(head: Uint8Array): boolean {
  return (
    head.length >= 4 && ((head[0] ?? 0) & 0xf0) === 0x50 && follows(head, 1, MAGIC.zstdSkippable.slice(1))
  );
}

function byStrongMagic(head: Uint8Array, ending: Codec | null): Codec | null {
  if (begins(head, MAGIC.xz)) return 'xz';
  if (begins(head, MAGIC.zstd)) return 'zstd';
  if (begins(head, MAGIC.lz4) || begins(head, MAGIC.lz4Legacy)) return 'lz4';
  if (begins(head, MAGIC.lzip)) return 'lzip';
  if (isSkippable(head)) return behindSkippable(head, ending);
  const level = head[3] ?? 0;
  if (begins(head, MAGIC.bzip2) && level >= 0x31 && level <= 0x39) {
    if (follows(head, 4, BZIP2_BLOCK) || follows(head, 4, BZIP2_END)) return 'bzip2';
  }
  return null;
}

/** Magics so short that a brotli stream can begin with them. */
function byWeakMagic(head: Uint8Array): Codec | null {
  const flags = head[3] ?? 0;
  if (begins(head, MAGIC.gzip) && (flags & 0xe0) === 0) return 'gzip';
  const settings = head[2] ?? 0;
  const bits = settings & 0x1f;
  if (begins(head, MAGIC.compress) && (settings & 0x60) === 0 && bits >= 9 && bits <= 16) return 'compress';
  return looksLikeLzma(head) ? 'lzma' : null;
}

/**
 * How a stream is compressed: by its magic, then by the ending of its name. Brotli has no magic and
 * is known by `.br` only, which outweighs the short magics of gzip, compress and lzma-alone.
 *
 * @param head the first bytes, 32 or more if there are as many
 * @param fileName its name or path, null where it has none
 * @returns never `none`; null where it is not known as compressed
 */
export function sniffCodec(head: Uint8Array, fileName: string | null): Codec | null {
  const ending = ENDINGS.find(([text]) => fileName?.endsWith(text))?.[1] ?? null;
  const strong = byStrongMagic(head, ending);
  if (strong !== null) return strong;
  if (ending === 'br') return 'br';
  return byWeakMagic(head) ?? ending;
}
