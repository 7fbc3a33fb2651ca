import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sendDirectly, sendStaged, type Transfer } from '../../../src/guard/copy/copy.ts';
import type { TransferProgress } from '../../../src/guard/copy/meter.ts';
import { referencesFirst } from '../../../src/guard/copy/selection.ts';
import { Staging } from '../../../src/guard/copy/staging.ts';
import { storeUrl } from '../../../src/guard/copy/storeUrl.ts';
import { pathInfosOf, NixDatabase } from '../../../src/nix/database.ts';
import { needs } from '../../support/programs.ts';
import { SymlinkedStore } from '../../support/realNix.ts';

const { signal } = new AbortController();

describe.skipIf(!needs('nix'))('what may leave, with the real Nix', () => {
  let store: SymlinkedStore;
  let lib: string;
  let tool: string;
  let app: string;

  beforeAll(() => {
    store = new SymlinkedStore();
    lib = store.build('lib', 'mkdir $out; echo lib > $out/lib; ln -s $out/lib $out/link');
    tool = store.build('tool', `echo '#! ${lib}/lib' > $out; chmod +x $out`, [lib]);
    app = store.build('app', `mkdir $out; echo ${tool} $out > $out/app`, [tool]);
  });
  afterAll(() => store[Symbol.dispose]());

  /** All of `paths` and what they refer to, as if it had been judged. */
  function transfer(to: string, paths: readonly string[]): Transfer {
    const stateDir = join(store.folder, 'var/nix');
    using database = NixDatabase.open(stateDir);
    const infos = pathInfosOf(stateDir, database?.closure(paths).paths ?? []);
    return {
      paths: referencesFirst(infos).flatMap((storePath) => {
        const info = infos.get(storePath);
        return info === undefined ? [] : [{ path: storePath, info, judged: info.narHash }];
      }),
      to: storeUrl(to),
      flags: [],
      storeDir: store.storeDir,
      store: null,
      // what a user has in the configuration is not needed
      environment: { ...store.environment, NIX_CONF_DIR: undefined, NIX_IGNORE_SYMLINK_STORE: undefined },
    };
  }

  class Events {
    readonly lines: string[] = [];
    readonly counts: string[] = [];
    said = (line: string): void => void this.lines.push(line);
    readonly progresses: TransferProgress[] = [];
    there = (paths: readonly string[]): void => void this.counts.push(`${paths.length} there`);
    sending = (paths: readonly string[]): void => void this.paths.push(...paths);
    sent = (paths: readonly string[]): void => void this.counts.push(`${paths.length} sent`);
    progress = (progress: TransferProgress): void => void this.progresses.push(progress);
    /** Handed to Nix. */
    readonly paths: string[] = [];
  }

  async function send(what: Transfer, events = new Events()): Promise<Events> {
    using staging = Staging.open(join(store.folder, 'staging'), store.storeDir);
    await sendStaged(what, staging, events, signal);
    return events;
  }

  it('arrives byte for byte, with all that was registered of it, signatures among it', async () => {
    const key = join(store.folder, 'key');
    store.run('nix-store', ['--generate-binary-cache-key', 'test-1', key, `${key}.pub`]);
    store.run('nix', ['store', 'sign', '-k', key, tool]);
    const cache = join(store.folder, 'signed');
    const { counts } = await send(transfer(`file://${cache}?compression=none`, [app]));
    expect(counts).toEqual(['3 sent']);
    const direct = join(store.folder, 'direct');
    store.copy(`file://${direct}?compression=none`, app);
    const all = (folder: string) =>
      new Map(
        readdirSync(folder, { recursive: true, withFileTypes: true })
          .filter((entry) => entry.isFile())
          .map((entry) => join(entry.parentPath, entry.name))
          .map((file) => [file.slice(folder.length), readFileSync(file).toString('latin1')]),
      );
    expect(all(cache)).toEqual(all(direct));
    expect([...all(cache).values()].filter((text) => text.includes('Sig: test-1:'))).toHaveLength(1);
    expect(readdirSync(join(store.folder, 'staging'))).toEqual([]);
  });

  it('is sent once, and no more than is missing', async () => {
    const cache = `file://${store.folder}/missing`;
    expect((await send(transfer(cache, [lib]))).counts).toEqual(['1 sent']);
    expect((await send(transfer(cache, [app]))).counts).toEqual(['1 there', '2 sent']);
    expect((await send(transfer(cache, [app]))).counts).toEqual(['3 there']);
  });

  it.each(['staged', 'not staged'])('tells how far it is, %s', async (how) => {
    const what = transfer(`file://${store.folder}/told-${how.replace(' ', '-')}`, [app]);
    const events = new Events();
    if (how === 'staged') await send(what, events);
    else await sendDirectly({ ...what, environment: store.environment }, events, signal);
    const bytesTotal = what.paths.reduce((sum, { info }) => sum + (info.narSize ?? 0), 0);
    const staged = how === 'staged' ? bytesTotal : 0;
    const whole = { paths: 3, pathsTotal: 3, bytes: bytesTotal, bytesTotal, staged };
    expect(events.progresses.at(-1)).toEqual(whole);
    const steps = events.progresses.map(({ paths }) => paths);
    expect(steps).toEqual(steps.toSorted((a, b) => a - b));
    // as Nix goes on, not all of a sudden; new versions tell of bytes before the first path is through
    expect(new Set([0, ...steps])).toEqual(new Set([0, 1, 2, 3]));
    if (how === 'staged') expect(steps).toContain(0);
    expect(events.paths.toSorted()).toEqual([lib, tool, app].toSorted());
    // what Nix tells people by lines is not lost, and its log is not shown
    expect(events.lines.join('\n')).not.toContain('@nix');
  });

  it('says what Nix said where it fails, also where its log is for programs', async () => {
    const { environment } = store;
    const what = { ...transfer('file:///dev/null/cache', [lib]), environment };
    const messages = [null, new Events().progress].map(async (progress) => {
      const events = { ...new Events(), progress };
      await expect(sendDirectly(what, events, signal)).rejects.toMatchObject({
        code: 'NIX_FAILED',
        message: expect.stringMatching(/^nix copy ended with status 1: error: .*\/dev\/null/),
      });
    });
    await Promise.all(messages);
  });

  it('is known to the destination alone: no substituter is asked what it has', async () => {
    const asked: string[] = [];
    await using server = createServer(({ url }, response) => {
      asked.push(url ?? '');
      response.writeHead(404).end();
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const NIX_CONFIG = `substituters = http://127.0.0.1:${port}\nrequire-sigs = false`;
    for (const to of [`file://${store.folder}/alone`, join(store.folder, 'alone-too')]) {
      const what = transfer(to, [app]);
      const { counts } = await send({ ...what, environment: { ...what.environment, NIX_CONFIG } });
      expect(counts).toEqual(['3 sent']);
    }
    expect(asked).toEqual([]);
  });

  it('is sent where the destination does not say what it has', async () => {
    const what = transfer(`file://${store.folder}/silent`, [app]);
    const folder = join(store.folder, 'bin');
    mkdirSync(folder);
    const script = `#!/bin/sh\ncase $* in *path-info*) echo 'error: no answer' >&2; exit 1;; esac\nPATH=$OLD exec nix "$@"\n`;
    writeFileSync(join(folder, 'nix'), script, { mode: 0o755 });
    const { PATH } = what.environment;
    const environment = { ...what.environment, PATH: `${folder}:${PATH}`, OLD: PATH };
    const { counts, lines } = await send({ ...what, environment });
    expect(counts).toEqual(['3 sent']);
    expect(lines.join()).toContain(
      'is not known, so all is sent (nix path-info ended with status 1: error: no answer)',
    );
  });

  it('may be derivations', async () => {
    const drv = store.run('nix-store', ['--query', '--deriver', tool]).toString().trim();
    const cache = `file://${store.folder}/derivations`;
    const events = new Events();
    const folder = join(store.folder, 'staging');
    const staged: string[][] = [];
    events.sent = () =>
      void staged.push(
        readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.nar')),
      );
    await send(transfer(cache, [drv, app]), events);
    // Nix takes them by runs of its own; what was sent is not kept until the end
    expect(staged.length).toBeGreaterThan(1);
    expect(staged.flat()).toEqual([]);
    const found = readdirSync(join(store.folder, 'derivations')).join();
    expect(found).toContain(drv.slice(store.storeDir.length + 1).slice(0, 32));
  });

  it('is refused whole as soon as one path is another than was judged', async () => {
    const what = transfer(`file://${store.folder}/tampered`, [app]);
    const paths = what.paths.map((path) => ({
      ...path,
      path: path.info.storePath === tool ? lib : path.path,
    }));
    await expect(send({ ...what, paths })).rejects.toMatchObject({ code: 'PATH_TAMPERED' });
    expect(readdirSync(join(store.folder, 'tampered')).filter((name) => name.endsWith('.narinfo'))).toEqual(
      [],
    );
    expect(readdirSync(join(store.folder, 'staging'))).toEqual([]);
  });

  it('is refused where there is no room for it', async () => {
    const what = transfer(`file://${store.folder}/full`, [lib]);
    const paths = what.paths.map((path) => ({ ...path, info: { ...path.info, narSize: 1e18 } }));
    await expect(send({ ...what, paths })).rejects.toMatchObject({ code: 'STAGING_FULL' });
    expect(readdirSync(join(store.folder, 'staging'))).toEqual([]);
  });

  it('says what Nix said where it fails, without the secrets of the destination', async () => {
    const what = transfer('https://alice:geheim@localhost:1/x', [lib]);
    const events = new Events();
    const environment = { ...what.environment, NIX_CONFIG: 'download-attempts = 1' };
    const failed: unknown = await send({ ...what, environment }, events).catch((error: unknown) => error);
    expect(failed).toMatchObject({
      code: 'NIX_FAILED',
      message: expect.stringMatching(/^nix copy ended with /),
    });
    expect(`${String(failed)} ${events.lines.join(' ')}`).not.toContain('geheim');
  });

  it('is read from the store by Nix itself where nothing is to be staged', async () => {
    const what = transfer(`file://${store.folder}/unstaged`, [app]);
    const events = new Events();
    const environment = store.environment;
    await sendDirectly({ ...what, environment }, events, signal);
    expect(events.counts).toEqual(['3 sent']);
    expect(
      readdirSync(join(store.folder, 'unstaged')).filter((name) => name.endsWith('.narinfo')),
    ).toHaveLength(3);
  });
});
