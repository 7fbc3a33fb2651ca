import { NarScanError } from '../model/errors.ts';
import { BASE32_ALPHABET } from '../nix/base32.ts';
import type { Codec } from '../formats/compression/codec.ts';

const NAME = new RegExp(`^nar/([${BASE32_ALPHABET}]{52})\\.nar(\\.[0-9A-Za-z]{1,8})?$`);

/** What the ending of a NAR's name says of its compression (Nix: src/libstore/binary-cache-store.cc), and what others write. */
const ENDINGS: ReadonlyMap<string, Codec> = new Map([
  ['.xz', 'xz'],
  ['.zst', 'zstd'],
  ['.bz2', 'bzip2'],
  ['.br', 'br'],
  ['.lz4', 'lz4'],
  ['.lzip', 'lzip'],
  ['.lz', 'lzip'],
  ['.gz', 'gzip'],
  ['.lzma', 'lzma'],
]);

/** What the name of a NAR says of it. */
interface NarName {
  /** `sha256:<nix32>` of the file. */
  readonly fileHash: string;
  /** Null: Nix gives the same name to what is packed in several ways, or not at all. */
  readonly compression: Codec | null;
}

/** Whether this is the name of a NAR: `nar/`, its FileHash, `.nar` and an ending. */
export function isNarName(name: string): boolean {
  return NAME.test(name);
}

/** @throws NarScanError UPLOAD_NAME */
export function readNarName(name: string): NarName {
  const [, digits, ending] = NAME.exec(name) ?? [];
  const compression = ending === undefined ? null : ENDINGS.get(ending);
  if (digits === undefined || compression === undefined)
    throw new NarScanError('UPLOAD_NAME', `'${name.slice(0, 200)}' is no name of a NAR`);
  return { fileHash: `sha256:${digits}`, compression };
}
