import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { NarInfo } from '../../src/nix/narinfo.ts';
import { narWith, STORE_DIR } from '../admission/publication/cache.ts';
import { type Answered, CacheClient, RawConnection, SentOutput } from './cacheClient.ts';
import { CacheServer } from './cacheServer.ts';
import { newStorePath } from './killedUploads.ts';
import { narScan } from './narScan.ts';

const TOKENS = ['push,read', 'read', 'review'] as const;
type TokenScopes = (typeof TOKENS)[number];

/** A server with tokens, for clients that misbehave. Dispose of it to leave nothing behind. */
export class MisusedServer implements AsyncDisposable {
  readonly server: CacheServer;
  /** Pushes and reads. */
  readonly client: CacheClient;
  readonly #folder: string;
  readonly #secrets: ReadonlyMap<string, string>;

  private constructor(folder: string, server: CacheServer, secrets: ReadonlyMap<string, string>) {
    this.#folder = folder;
    this.server = server;
    this.#secrets = secrets;
    this.client = this.as('push,read');
  }

  /** @param policy text of its policy file */
  static async start(policy = ''): Promise<MisusedServer> {
    const folder = mkdtempSync(join(tmpdir(), 'nar-scan-misused-'));
    const [tokens, file] = [join(folder, 'tokens.toml'), join(folder, 'policy.toml')];
    writeFileSync(file, policy);
    const secrets = new Map<string, string>();
    let entries = '';
    for (const scope of TOKENS) {
      const made = narScan(['token', 'new', '--name', scope.replace(',', '-'), '--scope', scope]);
      secrets.set(scope, /nst_[A-Za-z0-9_-]+/.exec(made.stderr)?.[0] ?? '');
      entries += made.stdout;
    }
    writeFileSync(tokens, entries, { mode: 0o600 });
    const args = ['--home', '/home/noamyr', '--tokens', tokens, '--policy', file];
    return new MisusedServer(folder, await CacheServer.start({ storeDir: STORE_DIR, folder, args }), secrets);
  }

  /** @param token its scopes; or one that nobody has; null: none */
  as(token: TokenScopes | 'nst_unknown' | null): CacheClient {
    return new CacheClient(this.server.url, this.#authorization(token));
  }

  /** A clean output that nobody has sent. */
  made(change: Partial<NarInfo> = {}, nar = narWith(randomBytes(20).toString('hex'))): SentOutput {
    return new SentOutput(nar, newStorePath(STORE_DIR, 'made'), change);
  }

  /** The lines before a body. */
  head(
    method: string,
    name: string,
    headers: Readonly<Record<string, string | number>> = {},
    token: Parameters<MisusedServer['as']>[0] = 'push,read',
  ): string {
    const lines = { Host: 'cache', ...this.#authorization(token), ...headers };
    const text = Object.entries(lines).map(([key, value]) => `${key}: ${value}\r\n`);
    return `${method} /${name} HTTP/1.1\r\n${text.join('')}\r\n`;
  }

  async connection(): Promise<RawConnection> {
    return await RawConnection.open(this.server.url);
  }

  /** The answer to bytes as they are. @returns null: the connection was ended without one */
  async answerTo(...pieces: readonly (string | Uint8Array)[]): ReturnType<RawConnection['answer']> {
    using connection = await this.connection();
    connection.send(...pieces);
    return await connection.answer();
  }

  /** Nobody can find out that there was such an output. */
  async expectUnseen({ narInfoName, narName, hashPart }: SentOutput): Promise<void> {
    for (const object of [narInfoName, narName, `${hashPart}.ls`, `api/v1/verdict/${hashPart}`]) {
      for (const method of ['GET', 'HEAD'])
        expect([object, (await this.client.ask(method, object)).status]).toEqual([object, 404]);
    }
  }

  get spooled(): readonly string[] {
    return readdirSync(join(this.server.state, 'spool'));
  }

  /** @param underWay uploads that have not ended */
  async expectUnharmed(underWay = 0): Promise<void> {
    await expect.poll(() => this.spooled.length, { timeout: 20_000 }).toBeLessThanOrEqual(underWay);
    expect(this.server.child.exitCode ?? this.server.child.signalCode).toBeNull();
    expect(this.server.log()).not.toContain('"level":50');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server[Symbol.asyncDispose]();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #authorization(token: string | null): Readonly<Record<string, string>> {
    return token === null ? {} : { Authorization: `Bearer ${this.#secrets.get(token) ?? token}` };
  }
}

/** One final line that fits where clients show it. */
export function expectRefused({ status, reason, body }: Answered, ...statuses: readonly number[]): void {
  expect([reason, statuses]).toEqual([reason, expect.arrayContaining([status])]);
  expect(reason).toMatch(/^nar-scan: [ -~]{5,989}$/);
  expect(body.toString()).toBe(`${reason}\n`);
}
