import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CacheServer, nixClient, type ProgramRun } from '../support/cacheServer.ts';
import { narScan, ROOT } from '../support/narScan.ts';
import { needs } from '../support/programs.ts';
import { SymlinkedStore } from '../support/realNix.ts';

/** The configurations of nginx that the documentation shows. */
const [FRONT = '', STORAGE = ''] = readFileSync(join(ROOT, 'src/admission/proxies.md'), 'utf8')
  .split('```nginx\n')
  .slice(1)
  .map((text) => text.split('```', 1)[0] ?? '');

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

describe.skipIf(!needs('nix', 'nix-build', 'nginx', 'openssl'))(
  'a cache server between two of nginx, with the real Nix',
  () => {
    const folder = mkdtempSync(join(tmpdir(), 'nar-scan-nginx-'));
    const stack = new AsyncDisposableStack();
    const certificate = join(folder, 'certificate.pem');
    let store: SymlinkedStore;
    let server: CacheServer;
    let port: number;
    let secret: string;

    const nginx = async (name: string, configuration: string): Promise<void> => {
      const file = join(folder, `${name}.conf`);
      const places = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
        (kind) => `${kind}_temp_path ${folder}/${name}-${kind};`,
      );
      const own = configuration.includes('client_body_temp_path') ? places.slice(1) : places;
      writeFileSync(
        file,
        `daemon off; pid ${folder}/${name}.pid; error_log ${folder}/${name}.log; user root; events {}\nhttp { access_log off; ${own.join(' ')}\n${configuration}\n}\n`,
      );
      const child = spawn('nginx', ['-p', folder, '-e', `${folder}/${name}.log`, '-c', file], {
        stdio: 'inherit',
      });
      stack.defer(async () => {
        const exited = once(child, 'exit');
        child.kill('SIGTERM');
        await exited;
      });
    };
    const answers = async (url: string): Promise<void> => {
      for (;;) {
        const isUp = await fetch(url).then(
          () => true,
          () => false,
        );
        if (isUp) return;
        await pause(50);
      }
    };

    beforeAll(async () => {
      store = stack.use(new SymlinkedStore());
      const key = join(folder, 'key.pem');
      execFileSync(
        'openssl',
        [
          'req',
          '-x509',
          '-newkey',
          'ec',
          '-pkeyopt',
          'ec_paramgen_curve:prime256v1',
          '-nodes',
          '-days',
          '1',
          '-subj',
          '/CN=localhost',
          '-addext',
          'subjectAltName=DNS:localhost',
          '-keyout',
          key,
          '-out',
          certificate,
        ],
        { stdio: 'ignore' },
      );
      const storagePort = await freePort();
      const root = join(folder, 'nix-cache');
      mkdirSync(join(root, '.incoming'), { recursive: true });
      await nginx('storage', STORAGE.replaceAll('/srv/nix-cache', root).replace('8081', String(storagePort)));
      await answers(`http://127.0.0.1:${storagePort}/`);

      const made = narScan(['token', 'new', '--name', 'ci', '--scope', 'push,read', '--home', store.home]);
      secret = /nst_[A-Za-z0-9_-]+/.exec(made.stderr)?.[0] ?? '';
      const tokens = join(folder, 'tokens.toml');
      writeFileSync(tokens, made.stdout, { mode: 0o600 });
      port = await freePort();
      const policy = join(folder, 'policy.toml');
      writeFileSync(policy, `[admission]\npublic_url = "https://localhost:${port}"\n`);
      server = stack.use(
        await CacheServer.start({
          storeDir: store.storeDir,
          storage: `http://127.0.0.1:${storagePort}`,
          args: ['--tokens', tokens, '--policy', policy],
        }),
      );
      const front = FRONT.replace('listen 443 ssl', `listen 127.0.0.1:${port} ssl`)
        .replace('cache.example.org;', 'localhost;')
        .replace(/ssl_certificate \S+;/, `ssl_certificate ${certificate};`)
        .replace(/ssl_certificate_key \S+;/, `ssl_certificate_key ${key};`)
        .replace('http://127.0.0.1:8080', server.url);
      await nginx('front', front);
      for (let tries = 0; tries < 100 && (await nix('store', 'ping', '--store', url())).status !== 0; tries++)
        await pause(50);
    });
    afterAll(async () => {
      await stack.disposeAsync();
      rmSync(folder, { recursive: true, force: true });
    });

    const url = (): string => `https://ci:${secret}@localhost:${port}`;
    const nix = async (...args: readonly string[]): Promise<ProgramRun> =>
      await nixClient({ ...store.environment, NIX_SSL_CERT_FILE: certificate }, ...args);

    it('takes a clean closure, gives it back, and keeps it in the storage behind', async () => {
      const base = store.build('base', 'mkdir $out; head -c 30000000 /dev/urandom > $out/base');
      const tool = store.build('tool', `mkdir $out; echo ${base} > $out/tool`, [base]);
      expect(await nix('copy', '--to', `${url()}?compression=none`, tool)).toMatchObject({ status: 0 });
      const second = mkdtempSync(join(store.folder, 'second-'));
      expect(await nix('copy', '--from', url(), '--to', second, '--no-check-sigs', tool)).toMatchObject({
        status: 0,
      });
      const real = join(second, 'nix/store', base.slice(store.storeDir.length + 1));
      expect(store.dump(real).equals(store.dump(base))).toBe(true);
    });

    it.each([1000, 40_000_000])('refuses a leak in %d bytes in a line that goes through', async (size) => {
      const script = `mkdir $out; echo ${store.home}/src/x.c > $out/a; head -c ${size} /dev/urandom > $out/b`;
      const leaky = store.build(`leaky-${size}`, script);
      for (let round = 0; round < 2; round++) {
        const refused = await nix('copy', '--to', `${url()}?compression=none`, leaky);
        expect(refused.status).toBe(1);
        expect(refused.stderr).toMatch(/HTTP error 403\b.*\s+response body:\s+nar-scan: /);
        expect(refused.stderr).toContain(`https://localhost:${port}/review/outputs/`);
        expect(refused.stderr).toContain(store.home);
      }
      const narinfo = `${leaky.slice(store.storeDir.length + 1).slice(0, 32)}.narinfo`;
      const answer = await fetch(`${server.url}/${narinfo}`, {
        headers: { authorization: `Bearer ${secret}` },
      });
      expect(answer.status).toBe(404);
    });
  },
);
