import type { ByteString } from '../model/bytes.ts';
import { NarScanError } from '../model/errors.ts';
import { LIMITS } from '../model/limits.ts';
import { AtermFault, AtermReader } from './aterm.ts';
import { canonicalStoreDir, parseStorePathName } from './storePath.ts';

/** One output of a derivation. */
interface DerivationOutput {
  /** Null where it is known only when it is built: floating content-addressed, deferred, impure. */
  readonly path: ByteString | null;
  /** With its method, such as `r:sha256`; empty for an input-addressed output. */
  readonly hashAlgorithm: ByteString;
  /** In hexadecimal, of an output whose content was fixed beforehand; `impure`; else empty. */
  readonly hash: ByteString;
}

/** A store derivation. All paths are store paths of one store directory. */
export interface Derivation {
  /** By name; at least one. */
  readonly outputs: ReadonlyMap<ByteString, DerivationOutput>;
  /** Derivations by path, each with the names of those outputs that the build uses. */
  readonly inputDerivations: ReadonlyMap<ByteString, readonly ByteString[]>;
  readonly inputSources: readonly ByteString[];
  readonly platform: ByteString;
  readonly builder: ByteString;
  readonly args: readonly ByteString[];
  /** Structured attributes are the JSON text in `__json`. */
  readonly env: ReadonlyMap<ByteString, ByteString>;
}

/** The two forms that there are; the second knows outputs of derivations that a build will make. */
const TRADITIONAL = 'Derive(';
const DYNAMIC = 'DrvWithVersion("xp-dyn-drv",';

/**
 * Reads a derivation in the ATerm format, as it lies in a `.drv` file. As strict as the newest Nix: names
 * ascending and each once, paths canonical, nothing behind the end. (Nix: src/libstore/derivations.cc;
 * manual, "Derivation ATerm file format".)
 *
 * @param place what it is called in an error
 * @throws NarScanError DERIVATION_INVALID
 */
export function parseDerivation(bytes: Uint8Array, place = 'the derivation'): Derivation {
  try {
    if (bytes.length > LIMITS.derivationBytes) {
      throw new AtermFault(`more than ${LIMITS.derivationBytes} bytes`, LIMITS.derivationBytes);
    }
    return new DerivationReader(bytes).read();
  } catch (error) {
    if (!(error instanceof AtermFault)) throw error;
    const { message, offset } = error;
    throw new NarScanError(
      'DERIVATION_INVALID',
      `${place} is none that Nix writes: ${message} (at ${offset})`,
      {
        offset,
      },
    );
  }
}

/**
 * The paths of all outputs that are known before a build. An output whose path is null is not among
 * them: who must see every output compares with the number of `outputs`.
 */
export function outputPathsOf({ outputs }: Derivation): readonly ByteString[] {
  return [...outputs.values()].flatMap(({ path }) => (path === null ? [] : [path]));
}

class DerivationReader {
  readonly #reader: AtermReader;
  #dynamic = false;
  #storeDir: ByteString | null = null;

  constructor(bytes: Uint8Array) {
    this.#reader = new AtermReader(bytes);
  }

  read(): Derivation {
    const reader = this.#reader;
    this.#dynamic = reader.takes(DYNAMIC);
    if (!this.#dynamic) reader.expect(TRADITIONAL);
    const outputs = this.#map(
      () => reader.string(),
      () => this.#output(),
    );
    if (outputs.size === 0) throw reader.fault('no outputs');
    reader.expect(',');
    const inputDerivations = this.#map(
      () => this.#derivationPath(),
      () => this.#wantedOutputs(0),
    );
    reader.expect(',');
    const inputSources = this.#set(() => this.#path());
    reader.expect(',');
    const platform = reader.string();
    reader.expect(',');
    const builder = reader.string();
    reader.expect(',');
    const args: ByteString[] = [];
    reader.list(() => args.push(reader.string()));
    reader.expect(',');
    const env = this.#map(
      () => reader.string(),
      () => reader.string(),
    );
    reader.expect(')');
    reader.end();
    return { outputs, inputDerivations, inputSources, platform, builder, args, env };
  }

  #output(): DerivationOutput {
    const reader = this.#reader;
    const written = reader.string();
    reader.expect(',');
    const hashAlgorithm = reader.string();
    reader.expect(',');
    const hash = reader.string();
    if (hashAlgorithm === '' && hash !== '') throw reader.fault('a hash without an algorithm');
    const open = hashAlgorithm !== '' && (hash === '' || hash === 'impure');
    if (open ? written !== '' : written === '' && hash !== '') {
      throw reader.fault('an output whose path and hash do not fit together');
    }
    return { path: written === '' ? null : this.#checked(written), hashAlgorithm, hash };
  }

  /** Names of outputs; in the dynamic form with those of derivations that an output will hold, which are passed over. */
  #wantedOutputs(depth: number): readonly ByteString[] {
    const reader = this.#reader;
    if (depth > LIMITS.derivationDepth) throw reader.fault(`nested more than ${LIMITS.derivationDepth} deep`);
    if (!this.#dynamic || !reader.takes('(')) return this.#someNames();
    const names = this.#set(() => reader.string());
    reader.expect(',');
    const nested = this.#map(
      () => reader.string(),
      () => this.#wantedOutputs(depth + 1),
    );
    reader.expect(')');
    if (names.length === 0 && nested.size === 0) throw reader.fault('an input without outputs');
    return names;
  }

  #someNames(): readonly ByteString[] {
    const names = this.#set(() => this.#reader.string());
    if (names.length === 0) throw this.#reader.fault('an input without outputs');
    return names;
  }

  #derivationPath(): ByteString {
    const path = this.#path();
    if (!path.endsWith('.drv')) throw this.#reader.fault('an input derivation that is not called .drv');
    return path;
  }

  #path(): ByteString {
    return this.#checked(this.#reader.string());
  }

  /** A path that the reader has just passed. */
  #checked(path: ByteString): ByteString {
    const slash = path.lastIndexOf('/');
    const storeDir = path.slice(0, Math.max(slash, 0));
    if (parseStorePathName(path.slice(slash + 1)) === null || canonicalStoreDir(storeDir) !== storeDir) {
      throw this.#reader.fault('no store path');
    }
    this.#storeDir ??= storeDir;
    if (storeDir !== this.#storeDir) throw this.#reader.fault('store paths of two stores');
    return path;
  }

  #set(item: () => ByteString): readonly ByteString[] {
    const items: ByteString[] = [];
    this.#reader.list(() => {
      const next = item();
      this.#ascending(items.at(-1), next);
      items.push(next);
    });
    return items;
  }

  #map<Value>(key: () => ByteString, value: () => Value): ReadonlyMap<ByteString, Value> {
    const entries = new Map<ByteString, Value>();
    let last: ByteString | undefined;
    this.#reader.list(() => {
      this.#reader.expect('(');
      const name = key();
      this.#ascending(last, name);
      last = name;
      this.#reader.expect(',');
      entries.set(name, value());
      this.#reader.expect(')');
    });
    return entries;
  }

  #ascending(before: ByteString | undefined, next: ByteString): void {
    if (before !== undefined && before >= next) throw this.#reader.fault('names that do not ascend');
  }
}
