import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Inspector } from '../../../src/admission/inspector.ts';
import { overriding } from '../../../src/admission/overriding.ts';
import { LIMITS } from '../../../src/model/limits.ts';
import { NarScanError } from '../../../src/model/errors.ts';
import { base32Encode } from '../../../src/nix/base32.ts';
import { narInfoText, parseNarInfo, type NarInfo } from '../../../src/nix/narinfo.ts';
import { fingerprint, generateSecretKey, signerOf, signText } from '../../../src/nix/signature.ts';
import { publishedPath } from '../catalog/records.ts';
import {
  type CacheOptions,
  CacheOfTests,
  callerWith,
  narInfoOf,
  narWith,
  pathOf,
  STORE_DIR,
} from './cache.ts';

const alice = generateSecretKey('alice-1');
const server = generateSecretKey('cache.example.org-1');
const PATH = pathOf('a');
const CLEAN = narWith('clean');

let cache: CacheOfTests;
const open = async (options: CacheOptions): Promise<void> => {
  await cache[Symbol.asyncDispose]();
  cache = await CacheOfTests.open(options);
};
beforeEach(async () => {
  cache = await CacheOfTests.open();
});
afterEach(async () => {
  expect(cache.spooled).toEqual([]);
  await cache[Symbol.asyncDispose]();
});

const part = (letter: string): string => letter.repeat(32);
const servedInfo = async (letter = 'a'): Promise<NarInfo> =>
  parseNarInfo(Buffer.from((await cache.catalog.published(part(letter)))?.narInfo ?? ''), STORE_DIR);
const signers = async (): Promise<readonly (string | null)[]> =>
  (await servedInfo()).signatures.map(signerOf);

describe('a narinfo whose NAR was received', () => {
  it('is published with it, and what was received is forgotten', async () => {
    const info = narInfoOf(CLEAN, PATH);
    const received = await cache.receive(CLEAN, info);
    expect(await cache.put(info)).toMatchObject({ status: 200 });
    expect(await cache.catalog.published(part('a'))).toMatchObject({
      storePath: PATH,
      narInfo: narInfoText(info),
      verdict: 'clean',
      rules: 'rules',
      by: 'noamyr',
    });
    const stored = (name: string): Buffer => readFileSync(join(cache.state, 'storage', name));
    expect(stored(info.url)).toEqual(CLEAN);
    expect(stored(`${part('a')}.narinfo`).toString()).toBe(narInfoText(info));
    expect(JSON.parse(stored(`${part('a')}.ls`).toString())).toMatchObject({ version: 1 });
    expect(await cache.catalog.received(info.url)).toBeNull();
    expect(existsSync(received)).toBe(false);
  });

  it('leaves nothing behind where the NAR was received once more meanwhile', async () => {
    const info = narInfoOf(CLEAN, PATH);
    await cache.receive(CLEAN, info);
    cache.beforePublished = () => cache.receive(CLEAN, info);
    expect(await cache.put(info)).toMatchObject({ status: 200 });
    expect(await cache.catalog.received(info.url)).toBeNull();
    expect(readdirSync(join(cache.state, 'received'))).toEqual([]);
  });

  it('may leave out what is known, and gets it', async () => {
    await cache.upload(CLEAN, PATH, { fileHash: null, fileSize: null });
    expect(await servedInfo()).toEqual(narInfoOf(CLEAN, PATH));
  });

  it('refers to what is published, and to itself', async () => {
    const other = pathOf('b');
    const change = { references: [PATH, other] };
    expect(await cache.upload(CLEAN, PATH, change)).toMatchObject({
      status: 422,
      line: expect.stringMatching(/which is not here/),
    });
    expect(await cache.catalog.published(part('a'))).toBeNull();
    await cache.upload(narWith('other'), other);
    expect(await cache.upload(CLEAN, PATH, change)).toMatchObject({ status: 200 });
  });

  it('loses fields that no Nix knows', async () => {
    const info = narInfoOf(CLEAN, PATH);
    await cache.receive(CLEAN, info);
    expect(await cache.put(`${narInfoText(info)}X-Builder: alice\n`)).toMatchObject({ status: 200 });
    expect((await cache.catalog.published(part('a')))?.narInfo).toBe(narInfoText(info));
  });

  it('is refused where what Nix does not know in it holds a home', async () => {
    const info = narInfoOf(CLEAN, PATH);
    await cache.receive(CLEAN, info);
    expect(await cache.put(`${narInfoText(info)}X-Builder: /home/noamyr\n`)).toMatchObject({
      status: 403,
      line: `refused: /${part('a')}.narinfo`,
    });
    expect(await cache.catalog.published(part('a'))).toBeNull();
    expect(cache.refused[0]?.bytes).toEqual(CLEAN);
  });

  it('is refused without it', async () => {
    const answer = await cache.put(narInfoOf(CLEAN, PATH));
    expect(answer).toMatchObject({
      status: 422,
      line: expect.stringMatching(/NARINFO_UNBOUND: the narinfo: nar\/\S+ has not come/),
    });
    const [hour] = await cache.catalog.hours(1, Date.now());
    expect(hour).toMatchObject({ malformed: 1, admitted: 0 });
  });

  it.each<[string, string, number]>([
    ['nothing', '', 400],
    ['a line without an end', 'StorePath', 400],
    [
      'a second NarHash',
      `${narInfoText(narInfoOf(CLEAN, PATH))}NarHash: ${narInfoOf(CLEAN, PATH).narHash}\n`,
      400,
    ],
    ['more than is ever sent', 'X: y\n'.repeat(LIMITS.narInfoBytes / 4), 413],
    ['another store', narInfoText(narInfoOf(CLEAN, `/gnu/store/${part('a')}-a`)), 400],
    ['a NUL', narInfoText(narInfoOf(CLEAN, PATH, { url: 'nar/\0' })), 400],
    ['an absolute URL', narInfoText(narInfoOf(CLEAN, PATH, { url: 'http://127.0.0.1/nar/x.nar' })), 422],
    [
      'a URL that leads up',
      narInfoText(narInfoOf(CLEAN, PATH, { url: `../${narInfoOf(CLEAN, PATH).url}` })),
      422,
    ],
    ['a stale NarHash', narInfoText(narInfoOf(CLEAN, PATH, { narHash: `sha256:${'0'.repeat(52)}` })), 422],
    ['a lie about its compression', narInfoText(narInfoOf(CLEAN, PATH, { compression: 'xz' })), 422],
  ])('with %s is refused', async (_name, text, status) => {
    await cache.receive(CLEAN, narInfoOf(CLEAN, PATH));
    const answer = await cache.put(text, callerWith(), part('a'));
    expect(answer.status).toBe(status);
    expect(answer.line).toMatch(/^nar-scan: [A-Z_]+: [ -~]{1,980}$/);
    expect(await cache.catalog.published(part('a'))).toBeNull();
    expect(readdirSync(join(cache.state, 'storage'))).toEqual(['.unfinished']);
  });

  it('sent as another one is refused', async () => {
    await cache.receive(CLEAN, narInfoOf(CLEAN, PATH));
    expect(await cache.put(narInfoOf(CLEAN, PATH), callerWith(), part('b'))).toMatchObject({ status: 422 });
  });
});

describe('one NAR under several store paths', () => {
  const LEAK = narWith(`/elsewhere/store/${part('b')}-hello`);

  it('is judged under each, also when it comes from the storage', async () => {
    expect(await cache.upload(LEAK, pathOf('b'))).toMatchObject({ status: 403 });
    expect(await cache.upload(LEAK, PATH)).toMatchObject({ status: 200 });
    // the client does not send what is there
    expect(await cache.put(narInfoOf(LEAK, pathOf('b')))).toMatchObject({ status: 403 });
    expect(await cache.put(narInfoOf(LEAK, pathOf('c')))).toMatchObject({ status: 200 });
    expect(await cache.catalog.published(part('b'))).toBeNull();
    expect(await cache.catalog.published(part('c'))).toMatchObject({ narName: narInfoOf(LEAK, PATH).url });
  });

  it('is not taken from a storage that has changed it', async () => {
    await cache.upload(LEAK, PATH);
    const place = join(cache.state, 'storage', narInfoOf(LEAK, PATH).url);
    rmSync(place);
    writeFileSync(place, Buffer.from(LEAK).fill(0, 0, 1));
    expect(await cache.put(narInfoOf(LEAK, pathOf('c')))).toMatchObject({
      status: 503,
      line: expect.stringMatching(/STORAGE_FAILED/),
    });
  });
});

describe('a path that is published', () => {
  beforeEach(() => cache.upload(CLEAN, PATH));

  it('is published once, however often it is sent', async () => {
    const { puts } = cache;
    expect(await cache.put(narInfoOf(CLEAN, PATH))).toMatchObject({ status: 200 });
    expect(await cache.put(narInfoOf(CLEAN, PATH, { url: `nar/${'0'.repeat(52)}.nar.xz` }))).toMatchObject({
      status: 200,
    });
    expect(cache.puts).toBe(puts);
  });

  it('never changes its content', async () => {
    const before = await cache.catalog.published(part('a'));
    expect(await cache.upload(narWith('other'), PATH)).toMatchObject({
      status: 409,
      line: expect.stringMatching(/PATH_PUBLISHED/),
    });
    expect(await cache.upload(CLEAN, pathOf('a', 'other'))).toMatchObject({ status: 409 });
    expect(await cache.catalog.published(part('a'))).toEqual(before);
    expect(readFileSync(join(cache.state, 'storage', `${part('a')}.narinfo`), 'utf8')).toBe(before?.narInfo);
  });

  it('is put back where the storage has lost it, with the same content alone', async () => {
    const place = join(cache.state, 'storage', narInfoOf(CLEAN, PATH).url);
    rmSync(place);
    expect(await cache.upload(narWith('other'), PATH)).toMatchObject({ status: 409 });
    expect(await cache.upload(CLEAN, PATH)).toMatchObject({ status: 200 });
    expect(readFileSync(place)).toEqual(CLEAN);
  });
});

describe('where another content of the path was published before', () => {
  const other = narWith('other');
  const files = (): readonly string[] =>
    readdirSync(join(cache.state, 'storage'), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => `${name}: ${readFileSync(join(parentPath, name), 'latin1')}`)
      .toSorted();
  /** Publishes it as a server that refuses nothing does, and goes on with one that refuses. */
  const letIn = async (bytes: Buffer): Promise<void> => {
    const { narInfo: _, ...path } = publishedPath('a', { verdict: 'contaminated' });
    const info = narInfoOf(bytes, PATH);
    const { url: narName, narHash, narSize } = info;
    const fileHash = narHash;
    await cache.catalog.publish({
      ...path,
      hashPart: part('a'),
      storePath: PATH,
      narInfo: narInfoText(info),
      narName,
      narHash,
      narSize,
      fileHash,
      fileSize: narSize,
    });
    for (const name of [narName, `${part('a')}.ls`, `${part('a')}.narinfo`])
      await cache.storage.put(name, { bytes: Buffer.from(`what lies at ${name}`) });
  };

  it.each(['its path', 'its content'])(
    'and %s is denied, it is refused and the storage stays as it was',
    async (what) => {
      await cache.upload(other, PATH);
      const before = files();
      cache.denied.add(what === 'its path' ? PATH : narInfoOf(other, PATH).narHash);
      expect(await cache.parts.catalog.published(part('a'))).toBeNull();
      expect(await cache.upload(CLEAN, PATH)).toMatchObject({ status: 409 });
      expect(files()).toEqual(before);
    },
  );

  it('in a dry run, what is admitted takes its place, and what is not leaves it as it was', async () => {
    await letIn(other);
    const before = files();
    expect(await cache.upload(narWith('/home/noamyr'), PATH)).toMatchObject({ status: 403 });
    expect(files()).toEqual(before);
    expect(await cache.upload(CLEAN, PATH)).toMatchObject({ status: 200 });
    expect(await servedInfo()).toEqual(narInfoOf(CLEAN, PATH));
    expect(await cache.catalog.publishedNar(narInfoOf(other, PATH).url)).toBeNull();
    const stored = readFileSync(join(cache.state, 'storage', `${part('a')}.narinfo`), 'utf8');
    expect(stored).toBe(narInfoText(narInfoOf(CLEAN, PATH)));
  });

  it('a dry run lets what is admitted take the place of what it let in, and nothing else', async () => {
    await open({ dryRun: true });
    await cache.upload(narWith('/home/noamyr'), PATH);
    const before = files();
    expect(await cache.upload(narWith('/home/noamyr too'), PATH)).toMatchObject({ status: 409 });
    expect(files()).toEqual(before);
    expect(await cache.upload(CLEAN, PATH)).toMatchObject({ status: 200 });
    const [admitted, after] = [await cache.catalog.published(part('a')), files()];
    expect(admitted).toMatchObject({ verdict: 'clean' });
    expect(await cache.upload(narWith('/home/noamyr'), PATH)).toMatchObject({ status: 409 });
    expect(await cache.catalog.published(part('a'))).toEqual(admitted);
    expect(files()).toEqual(after);
  });
});

describe('two clients at once', () => {
  it('end with one path, and both are told so', async () => {
    const info = narInfoOf(CLEAN, PATH);
    await cache.receive(CLEAN, info);
    const answers = await Promise.all([cache.put(info), cache.put(info), cache.put(info)]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(cache.puts).toBe(3);
  });

  it('that disagree about it end with one path', async () => {
    const other = narWith('other');
    await Promise.all([
      cache.receive(CLEAN, narInfoOf(CLEAN, PATH)),
      cache.receive(other, narInfoOf(other, PATH)),
    ]);
    const answers = await Promise.all([cache.put(narInfoOf(CLEAN, PATH)), cache.put(narInfoOf(other, PATH))]);
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200, 409]));
  });

  it('with two paths of one NAR publish both', async () => {
    await cache.receive(CLEAN, narInfoOf(CLEAN, PATH));
    const answers = await Promise.all(
      ['a', 'b', 'c'].map((letter) => cache.put(narInfoOf(CLEAN, pathOf(letter)))),
    );
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
  });
});

describe("the server's signature", () => {
  beforeEach(() => open({ trusted: [alice.publicKey], signing: server }));
  const info = narInfoOf(CLEAN, PATH);
  const byAlice = signText(alice, fingerprint(info));

  it('is not added to what nobody vouches for', async () => {
    await cache.upload(CLEAN, PATH, { signatures: [signText(generateSecretKey('bob-1'), 'x')] });
    expect(await signers()).toEqual(['bob-1']);
  });

  it('is added to what a trusted key has signed, and is one', async () => {
    await cache.upload(CLEAN, PATH, { signatures: [byAlice] });
    expect(await signers()).toEqual(['alice-1', 'cache.example.org-1']);
    expect((await servedInfo()).signatures).toContain(signText(server, fingerprint(info)));
  });

  it('is added for who may have things signed', async () => {
    await cache.upload(CLEAN, PATH, {}, callerWith('admin'));
    expect(await signers()).toEqual([]);
    await cache.put(info, callerWith('sign'));
    expect(await signers()).toEqual(['cache.example.org-1']);
  });

  it('is not added to references that others have told before', async () => {
    await cache.upload(CLEAN, PATH, { references: [PATH] });
    const sent = await cache.put(info, callerWith('sign'));
    expect(sent).toMatchObject({ status: 409, line: expect.stringMatching(/other references/) });
    expect(await signers()).toEqual([]);
  });

  it('is added to what is named by its content', async () => {
    const digest = createHash('sha256').update(CLEAN).digest();
    const text = `source:sha256:${digest.toString('hex')}:${STORE_DIR}:hello`;
    const folded = new Uint8Array(20);
    for (const [at, byte] of createHash('sha256').update(text).digest().entries())
      folded[at % 20] = (folded[at % 20] ?? 0) ^ byte;
    const storePath = `${STORE_DIR}/${base32Encode(folded)}-hello`;
    const ca = `fixed:r:sha256:${base32Encode(digest)}`;
    expect(await cache.upload(CLEAN, storePath, { ca })).toMatchObject({ status: 200 });
    const published = await cache.catalog.published(base32Encode(folded));
    expect(published?.narInfo).toMatch(/^Sig: cache\.example\.org-1:/m);
    expect(await cache.upload(CLEAN, PATH, { ca })).toMatchObject({
      status: 422,
      line: expect.stringMatching(/CA is/),
    });
  });

  it('and a new one by a trusted key are added to what is published; others are not, and false ones are refused', async () => {
    await cache.upload(CLEAN, PATH);
    await cache.put({ ...info, signatures: [signText(generateSecretKey('bob-1'), 'x')] });
    expect(await signers()).toEqual([]);
    const forged = await cache.put({ ...info, signatures: [signText(alice, 'x')] });
    expect(forged).toMatchObject({ status: 422, line: expect.stringMatching(/alice-1/) });
    await cache.put({ ...info, signatures: [byAlice] });
    expect(await signers()).toEqual(['alice-1', 'cache.example.org-1']);
    const stored = readFileSync(join(cache.state, 'storage', `${part('a')}.narinfo`), 'utf8');
    expect(stored).toBe((await cache.catalog.published(part('a')))?.narInfo);
  });

  it('is never taken from somebody else', async () => {
    const own = { ...generateSecretKey('x'), name: server.name };
    const answer = await cache.upload(CLEAN, PATH, { signatures: [signText(own, fingerprint(info))] });
    expect(answer).toMatchObject({ status: 422 });
  });
});

describe('what could not be inspected', () => {
  const fault = new NarScanError('SCAN_FAILED', 'a thread died');

  it('is not published', async () => {
    cache.inspectionFault = fault;
    expect(await cache.upload(CLEAN, PATH)).toMatchObject({
      status: 503,
      line: expect.stringMatching(/SCAN_FAILED/),
    });
    expect(await cache.catalog.published(part('a'))).toBeNull();
    cache.inspectionFault = null;
    expect(await cache.put(narInfoOf(CLEAN, PATH))).toMatchObject({ status: 200 });
  });

  it.each([false, true])('is published as incomplete where the operator says so (%s)', async (overlooks) => {
    await open({ onFailure: 'open' });
    cache.overlooksGaps = overlooks;
    cache.inspectionFault = fault;
    expect(await cache.upload(CLEAN, PATH)).toMatchObject({ status: 200 });
    expect(await cache.catalog.published(part('a'))).toMatchObject({
      verdict: 'incomplete',
      isUninspected: true,
    });
    expect(await cache.parts.catalog.published(part('a'))).not.toBeNull();
    cache.inspectionFault = null;
    expect(await cache.upload(narWith('/home/noamyr'), pathOf('b'))).toMatchObject({ status: 403 });
    cache.inspectionFault = new NarScanError('INTERRUPTED', 'the server stops');
    expect(await cache.upload(CLEAN, pathOf('c'))).toMatchObject({ status: 503 });
  });

  it.each(['closed', 'open'] as const)(
    'nor is what could not be read as a whole this time, and it stays received (%s)',
    async (onFailure) => {
      const { inspector } = cache.parts;
      const nar: Inspector['nar'] = async (...about) => ({
        ...(await inspector.nar(...about)),
        narHash: null,
      });
      const failing = await CacheOfTests.open({ onFailure, inspector: overriding(inspector, { nar }) });
      const info = narInfoOf(CLEAN, PATH);
      const place = await failing.receive(CLEAN, info);
      expect(await failing.put(info)).toMatchObject({
        status: 503,
        line: expect.stringMatching(/could not be read as a whole/),
      });
      expect(await failing.catalog.published(part('a'))).toBeNull();
      expect(readFileSync(place)).toEqual(CLEAN);
      await failing[Symbol.asyncDispose]();
    },
  );

  it.each(['closed', 'open'] as const)(
    'nor is what is not what was received any more (%s)',
    async (onFailure) => {
      await open({ onFailure });
      const info = narInfoOf(CLEAN, PATH);
      const place = await cache.receive(CLEAN, info);
      writeFileSync(place, narWith('other'));
      expect(await cache.put(info)).toMatchObject({
        status: 503,
        line: expect.stringMatching(/is not what was received/),
      });
      expect(await cache.catalog.published(part('a'))).toBeNull();
      // the next try finds that it has to send the NAR, too
      expect(await cache.put(info)).toMatchObject({ status: 422 });
      expect(await cache.upload(CLEAN, PATH)).toMatchObject({ status: 200 });
    },
  );
});

it('a dry run publishes what would be refused, as what it is, and says so', async () => {
  await open({ dryRun: true });
  expect(await cache.upload(narWith('/home/noamyr'), PATH)).toMatchObject({ status: 200 });
  expect(await cache.catalog.published(part('a'))).toMatchObject({ verdict: 'contaminated' });
  expect(cache.log).toEqual([expect.stringContaining('in spite of being contaminated')]);
});

it.each([1, 2, 3])(
  'a storage that fails at put %i leaves nothing published, and the next try succeeds',
  async (at) => {
    cache.failingPut = at;
    const info = narInfoOf(CLEAN, PATH);
    await cache.receive(CLEAN, info);
    expect(await cache.put(info)).toMatchObject({ status: 503 });
    expect(await cache.catalog.published(part('a'))).toBeNull();
    expect(await cache.put(info)).toMatchObject({ status: 200 });
  },
);

it('a catalog that cannot say so leaves nothing published, and the next try succeeds', async () => {
  const info = narInfoOf(CLEAN, PATH);
  await cache.receive(CLEAN, info);
  cache.beforePublished = () => Promise.reject(new NarScanError('UPLOAD_NO_ROOM', 'the disk is full'));
  expect(await cache.put(info)).toMatchObject({ status: 413 });
  expect(await cache.catalog.published(part('a'))).toBeNull();
  cache.beforePublished = () => Promise.resolve();
  expect(await cache.put(info)).toMatchObject({ status: 200 });
});
