import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ThreadedInspector } from '../../../src/admission/inspection/threadedInspector.ts';
import { hashPartOf } from '../../../src/nix/storePath.ts';
import { type NarInfo, parseNarInfo } from '../../../src/nix/narinfo.ts';
import { fingerprint, parsePublicKey, parseSecretKey, signText } from '../../../src/nix/signature.ts';
import { needs } from '../../support/programs.ts';
import { NIX_COMPRESSIONS, SymlinkedStore } from '../../support/realNix.ts';
import { serverSettings } from '../../support/serverSettings.ts';
import { CacheOfTests, callerWith } from './cache.ts';

const WITHOUT_SIGNATURES = { signatures: [] };

describe.skipIf(!needs('nix', 'nix-store'))('what nix copy has written', () => {
  let store: SymlinkedStore;
  let paths: {
    readonly library: string;
    readonly user: string;
    readonly leaky: string;
    readonly own: string;
  };
  let inspector: ThreadedInspector;

  beforeAll(() => {
    store = new SymlinkedStore();
    for (const name of ['alice-1', 'cache.example.org-1'])
      store.run('nix-store', ['--generate-binary-cache-key', name, `${name}.secret`, `${name}.public`]);
    const library = store.build('library', 'mkdir $out; echo 1 > $out/lib');
    const user = store.build('user', `mkdir $out; echo ${library} $out > $out/bin`, [library]);
    const leaky = store.build('leaky', 'mkdir $out; realpath $out > $out/where');
    const own = store.build('own', 'mkdir $out; echo /mnt/elsewhere$out/lib > $out/where');
    paths = { library, user, leaky, own };
    inspector = new ThreadedInspector(serverSettings(store.folder, { storeDir: store.storeDir }));
  });
  afterAll(async () => {
    await inspector.close();
    store[Symbol.dispose]();
  });

  const keyText = (name: string): string => readFileSync(join(store.folder, name), 'utf8');
  const openCache = (): Promise<CacheOfTests> =>
    CacheOfTests.open({
      storeDir: store.storeDir,
      inspector,
      trusted: [parsePublicKey(keyText('alice-1.public'))],
      signing: parseSecretKey(keyText('cache.example.org-1.secret')),
    });
  /** Copies a closure to a cache in a folder, and gives what lies there, references first. */
  const copied = (path: string, query: string): readonly { info: NarInfo; text: string; nar: Buffer }[] => {
    const folder = mkdtempSync(join(store.folder, 'copied-'));
    store.copy(`file://${folder}?${query}`, path);
    const names = readdirSync(folder).filter((name) => name.endsWith('.narinfo'));
    const all = names.map((name) => {
      const text = readFileSync(join(folder, name), 'utf8');
      const info = parseNarInfo(Buffer.from(text), store.storeDir);
      return { info, text, nar: readFileSync(join(folder, info.url)) };
    });
    return all.toSorted((one, other) => one.info.references.length - other.info.references.length);
  };

  it.each(NIX_COMPRESSIONS)('with %s is published as it is, and Nix accepts it', async (compression) => {
    await using cache = await openCache();
    const secret = join(store.folder, 'alice-1.secret');
    const objects = copied(paths.user, `compression=${compression}&secret-key=${secret}`);
    expect(objects).toHaveLength(2);
    for (const { info, text, nar } of objects) {
      await cache.receive(nar, info);
      expect(await cache.put(text)).toEqual({
        status: 200,
        line: `nar-scan: ${info.storePath} is published`,
      });
      const published = await cache.catalog.published(hashPartOf(info.storePath) ?? '');
      const served = parseNarInfo(Buffer.from(published?.narInfo ?? ''), store.storeDir);
      expect({ ...served, ...WITHOUT_SIGNATURES }).toEqual({ ...info, ...WITHOUT_SIGNATURES });
      const { signing } = cache.parts.keys;
      expect(signing).not.toBeNull();
      const own = signing === null ? '' : signText(signing, fingerprint(info));
      expect(served.signatures).toEqual([...info.signatures, own].toSorted());
    }
    // Nix 2.8.0 aborts where it copies small outputs from a cache that it has itself written with lzma
    if (compression === 'lzma') return;
    const storage = join(cache.state, 'storage');
    writeFileSync(join(storage, 'nix-cache-info'), `StoreDir: ${store.storeDir}\n`);
    const key = keyText('cache.example.org-1.public');
    const second = mkdtempSync(join(store.folder, 'second-'));
    const from = ['--from', `file://${storage}`, '--store', second, '--option', 'trusted-public-keys', key];
    store.run('nix', ['copy', ...from, paths.user]);
    expect(readFileSync(join(second, 'nix/store', basename(paths.user), 'bin'))).toEqual(
      readFileSync(join(paths.user, 'bin')),
    );
    const listing = store
      .run('nix', ['store', 'ls', '--store', `file://${storage}`, '-R', paths.user])
      .toString();
    expect(listing).toContain('bin');
  });

  it('writes the listings that we write', async () => {
    await using cache = await openCache();
    const folder = mkdtempSync(join(store.folder, 'listed-'));
    store.copy(`file://${folder}?write-nar-listing=true&compression=none`, paths.leaky, paths.library);
    const part = hashPartOf(paths.library) ?? '';
    const info = parseNarInfo(readFileSync(join(folder, `${part}.narinfo`)), store.storeDir);
    await cache.receive(readFileSync(join(folder, info.url)), info);
    expect(await cache.put(info)).toMatchObject({ status: 200 });
    const ours: unknown = JSON.parse(readFileSync(join(cache.state, 'storage', `${part}.ls`), 'utf8'));
    expect(ours).toEqual(JSON.parse(readFileSync(join(folder, `${part}.ls`), 'utf8')));
  });

  it('is not signed where nobody vouches for it', async () => {
    await using cache = await openCache();
    for (const { info, nar } of copied(paths.library, 'compression=none')) {
      await cache.receive(nar, info);
      await cache.put(info);
      const published = await cache.catalog.published(hashPartOf(info.storePath) ?? '');
      expect(published?.narInfo).not.toContain('Sig:');
    }
  });

  it.each(['leaky', 'own'] as const)('is refused where it leaks: %s', async (name) => {
    await using cache = await openCache();
    for (const { info, nar } of copied(paths[name], 'compression=xz')) {
      await cache.receive(nar, info);
      const answer = await cache.put(info, { ...callerWith('sign'), homes: [store.home] });
      expect(answer).toMatchObject({ status: 403 });
      expect(await cache.catalog.published(hashPartOf(info.storePath) ?? '')).toBeNull();
    }
  });
});
