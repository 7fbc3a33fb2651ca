import { mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { makeToken } from '../../src/admission/access/tokens.ts';
import { CacheServer, nixClient } from '../support/cacheServer.ts';
import { narScan } from '../support/narScan.ts';
import { needs } from '../support/programs.ts';
import { SymlinkedStore } from '../support/realNix.ts';

describe.skipIf(!needs('nix', 'nix-build'))('nar-scan copy to a nar-scan server', () => {
  const token = makeToken({ name: 'ci', scopes: ['read', 'push'], homes: [], expires: null });
  let store: SymlinkedStore;
  let tool: string;
  let leaky: string;
  /** Holds a home that nobody here has. */
  let foreign: string;
  let server: CacheServer;
  let netrc: string;

  beforeAll(() => {
    store = new SymlinkedStore();
    tool = store.build('tool', 'mkdir $out; echo tool > $out/tool');
    leaky = store.build('leaky', `mkdir $out; echo " ${store.home}/src/x.c" > $out/leaky`);
    foreign = store.build('foreign', 'mkdir $out; echo " /home/bob/src/x.c" > $out/foreign');
  });
  afterAll(() => store[Symbol.dispose]());
  beforeEach(async () => {
    const folder = mkdtempSync(join(store.folder, 'clients-'));
    const tokens = join(folder, 'tokens.toml');
    netrc = join(folder, 'netrc');
    writeFileSync(tokens, token.entry, { mode: 0o600 });
    writeFileSync(netrc, `machine 127.0.0.1 login any password ${token.secret}\n`);
    server = await CacheServer.start({ storeDir: store.storeDir, args: [`--tokens=${tokens}`] });
  });
  afterEach(async () => await server[Symbol.asyncDispose]());

  const copy = (...args: readonly string[]) => {
    const env = { ...store.environment, NAR_SCAN_STATE: mkdtempSync(join(store.folder, 'state-')) };
    const words = ['copy', '--to', server.url, ...args, '--', '--no-check-sigs', '--netrc-file', netrc];
    return narScan(words, { env, cwd: store.folder });
  };
  const known = async (): Promise<unknown> => {
    const headers = { authorization: `Bearer ${token.secret}` };
    const response = await fetch(`${server.url}/api/v1/homes`, { headers });
    return ((await response.json()) as { homes: unknown }).homes;
  };
  /** What the server says of a path to a plain Nix. */
  const refusal = async (path: string): Promise<string> => {
    const { stderr } = await nixClient(
      store.environment,
      'copy',
      '--to',
      server.url,
      '--netrc-file',
      netrc,
      path,
    );
    return stderr;
  };

  it('tells it the homes of this machine, which it finds in what comes with that token from then on', async () => {
    expect(await refusal(foreign)).toContain('held for review');
    expect(copy(tool)).toMatchObject({ status: 0 });
    expect(await known()).toContain(store.home);
    expect(await refusal(leaky)).toContain(`contaminated: known-home ${store.home}`);
  });

  it('tells it nothing where that is said, or where nothing is sent', async () => {
    expect(copy('--no-register-homes', tool)).toMatchObject({ status: 0 });
    expect(copy('--dry-run', tool)).toMatchObject({ status: 0 });
    expect(copy(leaky)).toMatchObject({ status: 1 });
    expect(await known()).toEqual([]);
  });

  it('says what the server refuses, and that copying again is no help', () => {
    const { status, stderr } = copy('--no-register-homes', foreign);
    expect(status).toBe(1);
    const [line = ''] = /^.*NIX_REFUSED.*$/m.exec(stderr) ?? [];
    expect(
      line.startsWith(`nar-scan: ${server.url} refuses a path: held for review: foreign-home /home/bob `),
    ).toBe(true);
    expect(line).toMatch(/fix: .*for good \[NIX_REFUSED\]; .* released/);
    expect(stderr.trimEnd().endsWith(line)).toBe(true);
  });

  it('asks the server what it has now, whatever Nix remembers of it', () => {
    expect(copy(tool)).toMatchObject({ status: 0 });
    const environment = { PATH: process.env['PATH'], NAR_SCAN_STATE: server.state };
    const denial = narScan(['quarantine', 'deny', tool, '--reason', 'it phones home'], { env: environment });
    expect(denial).toMatchObject({ status: 0 });
    const { status, stderr } = copy(tool);
    expect(stderr).toContain('it phones home');
    expect(status).toBe(1);
  });

  it('ends as incomplete where the server could not inspect what the policy here leaves aside', () => {
    const packed = store.build('packed', "mkdir $out; printf '7z\\274\\257\\047\\034more' > $out/x.7z");
    const policy = join(store.folder, 'lenient.toml');
    writeFileSync(policy, '[gaps]\nignore = ["unsupported"]\n');
    const { status, stderr } = copy('--policy', policy, packed);
    expect(stderr).toMatch(/refuses a path: incomplete: .*x\.7z.*\[NIX_REFUSED\]/);
    expect(status).toBe(3);
  });

  it('says so in one line where it may not, and never the token', async () => {
    const other = makeToken({ name: 'ci', scopes: ['push'], homes: [], expires: null }).secret;
    writeFileSync(netrc, `machine 127.0.0.1 login any password ${other}\n`);
    const { stderr } = copy(tool);
    expect(stderr).toContain(`${server.url} was not told which homes to search for: HTTP 401`);
    expect(stderr).not.toContain('nst_');
  });
});
