import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { Catalog } from '../../src/admission/catalog.ts';
import { openCatalog } from '../../src/admission/catalog/sqliteCatalog.ts';
import type { Answer, Caller } from '../../src/admission/contracts.ts';
import { DiskRoom } from '../../src/admission/diskRoom.ts';
import type { Inspector } from '../../src/admission/inspector.ts';
import { SpoolDirectory } from '../../src/admission/intake/spool.ts';
import { PolicyJudge } from '../../src/admission/judgement/policyJudge.ts';
import { NarReceiver, type NarUploadParts } from '../../src/admission/narUpload.ts';
import type { ServerSettings } from '../../src/admission/settings.ts';
import { openServerTrail } from '../../src/admission/trail.ts';
import { narHashText } from '../../src/nix/narHash.ts';
import type { AdmissionSettings } from '../../src/policy/admission.ts';
import { BUILT_IN_POLICY } from '../../src/policy/policy.ts';
import { AuditLog } from '../../src/quarantine/audit.ts';
import { denialOf, outputNamed, releaseOf } from '../../src/quarantine/judgement.ts';
import type { AuditRecord } from '../../src/quarantine/trail/record.ts';
import { KeptSizes } from '../../src/quarantine/store/keptSizes.ts';
import { quarantineDir } from '../../src/quarantine/store/place.ts';
import { serverSettings } from './serverSettings.ts';

export const sha256 = (bytes: Uint8Array): string => narHashText(createHash('sha256').update(bytes).digest());

export interface UploadSettings extends Partial<Pick<ServerSettings, 'dryRun'>> {
  readonly admission?: Partial<AdmissionSettings>;
  /** What is done otherwise than by the real one. */
  readonly inspector?: Partial<Inspector>;
}

/** What takes NARs, with the real parts: catalog, inspection in threads, judge, quarantine. */
export class NarUploadsOfTests implements AsyncDisposable {
  readonly folder: string;
  /** The state directory of the server. */
  readonly state: string;
  readonly catalog: Catalog;
  readonly #trail: AsyncDisposable;
  readonly parts: NarUploadParts;
  readonly uploads: NarReceiver;
  readonly log: unknown[] = [];
  /** Objects that the storage has, with their sizes. */
  readonly stored = new Map<string, number>();

  private constructor(folder: string, trail: AsyncDisposable, parts: NarUploadParts, log: unknown[]) {
    this.folder = folder;
    this.state = join(folder, 'state');
    this.catalog = parts.catalog;
    this.#trail = trail;
    this.parts = { ...parts, storage: { size: async (name) => this.stored.get(name) ?? null } };
    this.uploads = new NarReceiver(this.parts);
    this.log = log;
  }

  /** @param real searches; it may be shared, for its threads take a while to start */
  static async open(real: Inspector, options: UploadSettings = {}): Promise<NarUploadsOfTests> {
    const folder = mkdtempSync(join(tmpdir(), 'nar-scan-uploads-'));
    const state = join(folder, 'state');
    mkdirSync(state, { mode: 0o700 });
    const admission = { ...BUILT_IN_POLICY.admission, ...options.admission };
    const settings = serverSettings(state, {
      policy: { ...BUILT_IN_POLICY, admission },
      publicUrl: 'https://cache.example.org',
      dryRun: options.dryRun ?? false,
    });
    const inspector = changed(real, options.inspector ?? {});
    const catalog = await openCatalog(join(state, 'catalog.sqlite'));
    const told: unknown[] = [];
    const log = {
      warn: (line: string) => void told.push(line),
      error: (error: unknown) => void told.push(error),
    };
    const trail = await openServerTrail(settings, {}, log.error);
    const tool = { name: 'nar-scan', version: '0', kernel: 'simd' };
    const kept = new KeptSizes(quarantineDir(state));
    const judge = await PolicyJudge.open({ settings, catalog, inspector, ...trail, kept, tool, log });
    const spool = SpoolDirectory.open(join(state, 'spool'));
    const received = SpoolDirectory.open(join(state, 'received'));
    const storage = { size: async () => null };
    const room = new DiskRoom(spool.path);
    const parts = { settings, catalog, inspector, judge, spool, received, room, storage, log };
    return new NarUploadsOfTests(folder, trail, parts, told);
  }

  /** PUT of a NAR as the server does it. @param name by its content where it is left out */
  async put(bytes: Uint8Array, by = caller(), name = narName(bytes)): Promise<Answer> {
    const length = bytes.length;
    const early = await this.uploads.before(name, length, by);
    return (
      early ?? (await this.uploads.put(name, { stream: Readable.from([bytes]), length, encoding: null }, by))
    );
  }

  /** Whether it was answered before the body was read. */
  async isKnown(bytes: Uint8Array, by = caller()): Promise<boolean> {
    return (await this.uploads.before(narName(bytes), bytes.length, by)) !== null;
  }

  files(directory: 'spool' | 'received' | 'quarantine'): readonly string[] {
    return readdirSync(join(this.state, directory));
  }

  async records(): Promise<readonly AuditRecord[]> {
    return await this.#atTrail((log) => [...log.trail.records()].map(({ record }) => record));
  }

  /** What a reviewer does with an output in quarantine. */
  async release(id: string): Promise<void> {
    await this.#atTrail((log) => log.append(releaseOf(outputNamed(log, id).record, 'looked at', null)));
  }

  async deny(named: string): Promise<void> {
    await this.#atTrail((log) => log.append(denialOf(log, named, 'never')));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#trail[Symbol.asyncDispose]();
    await this.catalog.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  async #atTrail<T>(act: (log: AuditLog) => T | Promise<T>): Promise<T> {
    using log = await AuditLog.open(this.state, { actor: 'alice@host' });
    await log.sync();
    return await act(log);
  }
}

export function narName(bytes: Uint8Array, ending = ''): string {
  return `nar/${sha256(bytes).slice('sha256:'.length)}.nar${ending}`;
}

export function caller(...homes: readonly string[]): Caller {
  return { name: 'noamyr', scopes: new Set(['push']), homes };
}

function changed(inspector: Inspector, changes: Partial<Inspector>): Inspector {
  return {
    load: inspector.load,
    nar: async (...args) => await inspector.nar(...args),
    file: async (...args) => await inspector.file(...args),
    stream: async (...args) => await inspector.stream(...args),
    repack: async (...args) => await inspector.repack(...args),
    rules: async (homes) => await inspector.rules(homes),
    known: async (homes) => await inspector.known(homes),
    close: async () => await inspector.close(),
    ...changes,
  };
}
