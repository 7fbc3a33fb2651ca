import { NarScanError } from '../model/errors.ts';
import { LIMITS } from '../model/limits.ts';
import { parseNarHash } from './narHash.ts';
import { parsePathInStore, parseStorePathName } from './storePath.ts';

/** What a binary cache says of a store path, one `<hash part>.narinfo` each. */
export interface NarInfo {
  readonly storePath: string;
  /** Of the NAR, relative to the cache as a rule; it may be anything: check it before following it. */
  readonly url: string;
  /** Such as `none`, `xz`, `zstd`. */
  readonly compression: string;
  /** `sha256:<nix32>` of the file at `url`. */
  readonly fileHash: string | null;
  /** Its size in bytes. */
  readonly fileSize: number | null;
  /** `sha256:<nix32>` of the NAR. */
  readonly narHash: string;
  /** Bytes of the NAR, at least 1. */
  readonly narSize: number;
  /** Store paths, sorted. */
  readonly references: readonly string[];
  /** A store path. */
  readonly deriver: string | null;
  /** `name:base64` each, sorted. */
  readonly signatures: readonly string[];
  /** Says that the path is named by its content, such as `fixed:r:sha256:…`. */
  readonly ca: string | null;
}

/** What is meant where no compression is named. */
const OLD_COMPRESSION = 'bzip2';
const NO_DERIVER = 'unknown-deriver';
/** Visible characters of ASCII. */
const WORD = /^[!-~]+$/;
const SIGNATURE = /^[!-9;-~]+:[0-9A-Za-z+/]+={0,2}$/;
const SIZE = /^(?:0|[1-9][0-9]{0,15})$/;

/** The text of a narinfo, as Nix writes it. (Nix: src/libstore/nar-info.cc.) */
export function narInfoText(info: NarInfo): string {
  const line = (name: string, value: string | number | null): string =>
    value === null ? '' : `${name}: ${value}\n`;
  const { references, deriver, signatures } = info;
  return [
    line('StorePath', info.storePath),
    line('URL', info.url),
    line('Compression', info.compression),
    line('FileHash', info.fileHash),
    line('FileSize', info.fileSize),
    line('NarHash', info.narHash),
    line('NarSize', info.narSize),
    line('References', references.map(baseName).join(' ')),
    line('Deriver', deriver && baseName(deriver)),
    ...signatures.map((signature) => line('Sig', signature)),
    line('CA', info.ca),
  ].join('');
}

/**
 * Reads a narinfo, stricter than any Nix, so that it cannot mean one thing here and another to a
 * client: each field once (but signatures), each line `Name: value` and ended, sizes in digits, hashes
 * SHA-256, names of store paths whole. Fields that Nix does not know are skipped, as Nix does.
 *
 * @param storeDir what every path in it must lie in, such as `/nix/store`
 * @throws NarScanError NARINFO_INVALID with the number of the line
 */
export function parseNarInfo(bytes: Uint8Array, storeDir: string): NarInfo {
  if (bytes.length > LIMITS.narInfoBytes) fail(1, `it has ${bytes.length} bytes`);
  const fields = new Fields(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1'));
  const inStore = (name: string): string => (parseStorePathName(name) === null ? '' : `${storeDir}/${name}`);
  const info = {
    storePath: fields.required('StorePath', (text) => pathOf(text, storeDir)),
    url: fields.required('URL', word),
    compression: fields.optional('Compression', word) ?? OLD_COMPRESSION,
    fileHash: fields.optional('FileHash', parseNarHash),
    fileSize: fields.optional('FileSize', sizeOf),
    narHash: fields.required('NarHash', parseNarHash),
    narSize: fields.required('NarSize', (text) => sizeOf(text) || null),
    references: fields.optional('References', (text) => names(text, inStore)) ?? [],
    deriver: fields.optional('Deriver', (text) => (text === NO_DERIVER ? text : inStore(text) || null)),
    signatures: fields.all('Sig', (text) => (SIGNATURE.test(text) ? text : null)).toSorted(),
    ca: fields.optional('CA', word),
  };
  return info.deriver === NO_DERIVER ? { ...info, deriver: null } : info;
}

/** The lines of a narinfo by the names of their fields. */
class Fields {
  readonly #lines = new Map<string, { readonly number: number; readonly value: string }[]>();
  readonly #count: number;

  constructor(text: string) {
    const lines = text.split('\n');
    this.#count = lines.length;
    if (lines.pop() !== '') fail(lines.length + 1, 'the line does not end');
    for (const [index, line] of lines.entries()) {
      const colon = line.indexOf(': ');
      if (colon <= 0) fail(index + 1, 'a field is no name, colon, space and value');
      const name = line.slice(0, colon);
      const field = { number: index + 1, value: line.slice(colon + 2) };
      const same = this.#lines.get(name);
      if (same === undefined) this.#lines.set(name, [field]);
      else same.push(field);
    }
  }

  /** @param read null for a value that the field cannot have */
  all<T>(name: string, read: (value: string) => T | null): readonly T[] {
    return (this.#lines.get(name) ?? []).map(({ number, value }) => {
      const result = read(value);
      return result ?? fail(number, `${name} cannot be '${shortened(value)}'`);
    });
  }

  optional<T>(name: string, read: (value: string) => T | null): T | null {
    const [, second] = this.#lines.get(name) ?? [];
    if (second !== undefined) fail(second.number, `a second ${name}`);
    return this.all(name, read)[0] ?? null;
  }

  required<T>(name: string, read: (value: string) => T | null): T {
    return this.optional(name, read) ?? fail(this.#count, `there is no ${name}`);
  }
}

function word(text: string): string | null {
  return WORD.test(text) ? text : null;
}

function sizeOf(text: string): number | null {
  return SIZE.test(text) && Number.isSafeInteger(Number(text)) ? Number(text) : null;
}

function pathOf(text: string, storeDir: string): string | null {
  return parsePathInStore(storeDir, text)?.inside === '' ? text : null;
}

/** @param inStore '' for what is no name of a store path */
function names(text: string, inStore: (name: string) => string): readonly string[] | null {
  const paths = text === '' ? [] : text.split(' ').map(inStore);
  return paths.includes('') || new Set(paths).size < paths.length ? null : paths.toSorted();
}

function baseName(storePath: string): string {
  return storePath.slice(storePath.lastIndexOf('/') + 1);
}

function shortened(text: string): string {
  return text.length > 100 ? `${text.slice(0, 100)}…` : text;
}

function fail(line: number, message: string): never {
  throw new NarScanError('NARINFO_INVALID', `the narinfo is none: line ${line}: ${message}`);
}
