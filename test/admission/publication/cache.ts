import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { Catalog } from '../../../src/admission/catalog.ts';
import { openCatalog } from '../../../src/admission/catalog/sqliteCatalog.ts';
import type { Codec } from '../../../src/formats/compression/codec.ts';
import type { Answer, Caller, Ruling, Scope } from '../../../src/admission/contracts.ts';
import { DiskRoom } from '../../../src/admission/diskRoom.ts';
import type { Inspector } from '../../../src/admission/inspector.ts';
import { NarListing } from '../../../src/admission/inspection/listing.ts';
import { SpoolDirectory } from '../../../src/admission/intake/spool.ts';
import type { Judge } from '../../../src/admission/judge.ts';
import type { PublicationParts } from '../../../src/admission/publication/parts.ts';
import { CachePublications } from '../../../src/admission/publication/publications.ts';
import { DirectoryStorage } from '../../../src/admission/storage/directory.ts';
import { servedOf } from '../../../src/admission/served.ts';
import type { Body } from '../../../src/admission/uploads.ts';
import type { Finding } from '../../../src/model/facts.ts';
import { NarScanError } from '../../../src/model/errors.ts';
import { narHashText } from '../../../src/nix/narHash.ts';
import { narInfoText, type NarInfo } from '../../../src/nix/narinfo.ts';
import type { PublicKey, SecretKey } from '../../../src/nix/signature.ts';
import { BUILT_IN_POLICY } from '../../../src/policy/policy.ts';
import { finding } from '../../report/madeFacts.ts';
import { directory, file, nar } from '../../support/narWriter.ts';

export const STORE_DIR = '/nix/store';
const sha256 = (bytes: Uint8Array): string => narHashText(createHash('sha256').update(bytes).digest());

export function body(content: string | Uint8Array, encoding: string | null = null): Body {
  const bytes = Buffer.from(content);
  return { stream: Readable.from([bytes]), length: bytes.length, encoding };
}

/** @param letter the hash part is 32 of it */
export function pathOf(letter: string, name = 'hello'): string {
  return `${STORE_DIR}/${letter.repeat(32)}-${name}`;
}

export function callerWith(...scopes: readonly Scope[]): Caller {
  return { name: 'noamyr', scopes: new Set(['push', ...scopes]), homes: [] };
}

export interface CacheOptions {
  readonly storeDir?: string;
  readonly trusted?: readonly PublicKey[];
  readonly signing?: SecretKey;
  readonly dryRun?: boolean;
  readonly onFailure?: 'open' | 'closed';
  /** In the place of one that looks for two literals. */
  readonly inspector?: Inspector;
}

/** The NAR of a directory with one file. */
export function narWith(contents: string): Buffer {
  return nar(directory(['lib', directory(['x.debug', file(contents)])]));
}

/** A narinfo as a client makes it of a NAR that it sends as it is. */
export function narInfoOf(bytes: Buffer, storePath: string, change: Partial<NarInfo> = {}): NarInfo {
  const hash = sha256(bytes);
  return {
    storePath,
    url: `nar/${hash.slice(7)}.nar`,
    compression: 'none',
    fileHash: hash,
    fileSize: bytes.length,
    narHash: hash,
    narSize: bytes.length,
    references: [],
    deriver: null,
    signatures: [],
    ca: null,
    ...change,
  };
}

/**
 * What publishes, over a real catalog, storage and spool. Searched is for two literals in what is not packed: a home,
 * and a foreign prefix before the hash part of the path itself.
 */
export class CacheOfTests implements AsyncDisposable {
  readonly state: string;
  readonly catalog: Catalog;
  readonly storage: DirectoryStorage;
  readonly publications: CachePublications;
  readonly parts: PublicationParts;
  readonly log: unknown[] = [];
  /** What it throws instead of searching. */
  inspectionFault: Error | null = null;
  /** As a policy may. */
  overlooksGaps = false;
  /** What happens when everything lies in the storage and nothing is published. */
  beforePublished: () => Promise<unknown> = () => Promise.resolve();
  /** How many times something was put; and at which of them it fails. */
  puts = 0;
  failingPut: number | null = null;
  refused: { name: string; target: string; bytes: Buffer }[] = [];
  /** Store paths and NarHashes that a person has denied. */
  readonly denied = new Set<string>();
  readonly #nars = new Map<string, { compression: Codec; narHash: string; narSize: number }>();

  private constructor(state: string, catalog: Catalog, storage: DirectoryStorage, options: CacheOptions) {
    this.state = state;
    this.catalog = catalog;
    this.storage = storage;
    const {
      storeDir = STORE_DIR,
      trusted = [],
      signing = null,
      dryRun = false,
      onFailure = 'closed',
    } = options;
    const policy = {
      ...BUILT_IN_POLICY,
      admission: { ...BUILT_IN_POLICY.admission, onFailure },
    };
    const spool = SpoolDirectory.open(join(this.state, 'spool'));
    this.parts = {
      settings: { storeDir, dryRun, policy },
      catalog: servedOf(catalog, this.#decisions(), { storeDir, dryRun, policy }),
      storage: {
        shown: storage.shown,
        get: (name, range) => storage.get(name, range),
        size: (name) => storage.size(name),
        check: () => storage.check(),
        put: async (name, content) => {
          if (++this.puts === this.failingPut) throw new NarScanError('STORAGE_FAILED', 'it is away');
          else await storage.put(name, content);
          if (name.endsWith('.narinfo')) await this.beforePublished();
        },
      },
      inspector: options.inspector ?? this.#inspector(),
      judge: this.#judge(),
      spool,
      room: new DiskRoom(spool.path),
      keys: { trusted, signing },
      log: { warn: (line) => void this.log.push(line), error: (error) => void this.log.push(error) },
    };
    this.publications = new CachePublications(this.parts);
  }

  static async open(options: CacheOptions = {}): Promise<CacheOfTests> {
    const state = mkdtempSync(join(tmpdir(), 'nar-scan-publication-'));
    const catalog = await openCatalog(join(state, 'catalog.sqlite'));
    const storage = await DirectoryStorage.open(join(state, 'storage'));
    return new CacheOfTests(state, catalog, storage, options);
  }

  /** A NAR that was received and found to be what it is said to be. */
  async receive(bytes: Buffer, info: NarInfo): Promise<string> {
    const received = join(this.state, 'received');
    mkdirSync(received, { recursive: true });
    const place = join(received, `${this.puts}-${info.url.slice(4)}`);
    writeFileSync(place, bytes);
    const { narHash, narSize } = info;
    const compression = info.compression as Codec;
    const fileHash = sha256(bytes);
    this.#nars.set(fileHash, { compression, narHash, narSize });
    await this.catalog.receive({
      name: info.url,
      fileHash,
      fileSize: bytes.length,
      narHash,
      narSize,
      compression,
      file: place,
      by: 'noamyr',
      at: 1,
    });
    return place;
  }

  /** PUT of a narinfo, under the name of its store path. */
  put(info: NarInfo | string, caller: Caller = callerWith(), hashPart?: string): Promise<Answer> {
    const text = typeof info === 'string' ? info : narInfoText(info);
    const named = /StorePath: .*\/([^/-]*)-/.exec(text)?.[1] ?? '';
    return this.publications.narInfo(hashPart ?? named, body(text), async () => caller);
  }

  /** Receives a NAR that is not packed, and puts its narinfo. */
  async upload(
    bytes: Buffer,
    storePath: string,
    change: Partial<NarInfo> = {},
    caller?: Caller,
  ): Promise<Answer> {
    const info = narInfoOf(bytes, storePath, change);
    await this.receive(bytes, info);
    return await this.put(info, caller);
  }

  /** Names of files that wait, or were forgotten. */
  get spooled(): readonly string[] {
    return readdirSync(join(this.state, 'spool'));
  }

  #inspector(): Inspector {
    const facts = (bytes: Buffer, target: string, needle: string | null) => {
      const text = bytes.toString('latin1');
      const findings: Finding[] = [];
      if (text.includes('/home/noamyr')) findings.push(finding({ leak: '/home/noamyr' }));
      if (needle !== null && text.includes(`/elsewhere/store/${needle}`))
        findings.push(finding({ leak: needle, rule: 'store-alias', home: null }));
      const stats = { entries: 1, files: 1, bytes: 1, expandedBytes: 0, milliseconds: 0 };
      return { target, storePath: null, narHash: null, findings, gaps: [], stats };
    };
    const partOf = (storePath: string | undefined): string | null =>
      storePath === undefined ? null : (storePath.split('/').at(-1)?.slice(0, 32) ?? null);
    const never = (): never => {
      throw new Error('not asked for');
    };
    return {
      nar: async (place, name, context) => {
        await new Promise((resolve) => setImmediate(resolve));
        if (this.inspectionFault !== null) throw this.inspectionFault;
        const bytes = readFileSync(place);
        const hash = sha256(bytes);
        const known = this.#nars.get(hash) ?? { compression: 'none', narHash: hash, narSize: bytes.length };
        const found = facts(bytes, name, partOf(context.path?.storePath));
        const listing = new NarListing();
        listing.directory('');
        listing.directory('lib');
        listing.file('lib/x.debug', false, 1, 0);
        return { ...known, facts: { ...found, narHash: known.narHash }, listing: listing.text() };
      },
      file: (place, name, context) =>
        Promise.resolve(facts(readFileSync(place), name, partOf(context.path?.storePath))),
      rules: async () => 'rules',
      known: never,
      stream: never,
      repack: never,
      load: { running: 0, waiting: 0 },
      close: () => Promise.resolve(),
    };
  }

  #decisions(): Parameters<typeof servedOf>[1] {
    const denial = {
      sequence: 1,
      reason: '',
      actor: 'alice',
      at: 1,
      storePath: null,
      hashPart: null,
      narHash: null,
    };
    const isDenied = (storePath: string, narHash: string | null): boolean =>
      this.denied.has(storePath) || this.denied.has(narHash ?? '');
    return {
      refresh: () => undefined,
      denial: (storePath, narHash) => (isDenied(storePath, narHash) ? denial : null),
    };
  }

  #judge(): Judge {
    return {
      rule: ({ findings, gaps, ...facts }) => {
        const standing =
          findings.length > 0
            ? 'contaminated'
            : gaps.length > 0 && !this.overlooksGaps
              ? 'incomplete'
              : 'clean';
        const result = { ...facts, verdict: standing, findings, gaps } as unknown as Ruling['result'];
        return Promise.resolve({ standing, result, decision: null, blocking: [] });
      },
      refuse: (ruling, _subject, source) => {
        const { target } = ruling.result;
        if (source !== null)
          this.refused.push({ name: source.name, target, bytes: readFileSync(source.file) });
        const entries = ruling.result.findings.map(({ location }) => location.entry).join(' ');
        const status = ruling.standing === 'incomplete' ? 422 : 403;
        return Promise.resolve({ answer: { status, line: `refused: ${entries}` }, id: null });
      },
      against: ({ standing }) => standing,
      judgedBy: () => Promise.resolve(''),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.catalog.close();
    rmSync(this.state, { recursive: true });
  }
}
