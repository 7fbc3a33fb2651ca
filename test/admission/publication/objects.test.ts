import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Answer } from '../../../src/admission/contracts.ts';
import { parseDebugInfo } from '../../../src/admission/publication/debugInfo.ts';
import { parseRealisation } from '../../../src/admission/publication/realisation.ts';
import { textNar } from '../../../src/admission/publication/textNar.ts';
import { LIMITS } from '../../../src/model/limits.ts';
import { NarScanError } from '../../../src/model/errors.ts';
import { narInfoText } from '../../../src/nix/narinfo.ts';
import { generateSecretKey, signText } from '../../../src/nix/signature.ts';
import { body, CacheOfTests, callerWith, narInfoOf, narWith, pathOf, STORE_DIR } from './cache.ts';

const PATH = pathOf('a');
const CLEAN = narWith('clean');
const NAR = narInfoOf(CLEAN, PATH).url;

let cache: CacheOfTests;
beforeEach(async () => {
  cache = await CacheOfTests.open();
});
afterEach(async () => {
  expect(cache.spooled).toEqual([]);
  await cache[Symbol.asyncDispose]();
});

const put = (name: string, content: unknown, encoding: string | null = null): Promise<Answer> => {
  const bytes =
    typeof content === 'string' || content instanceof Uint8Array ? content : JSON.stringify(content);
  return cache.publications.object(name, body(bytes, encoding), async () => callerWith());
};
const served = async (name: string): Promise<string | undefined> =>
  (await cache.catalog.object(name))?.bytes.toString();

it.each([
  'x',
  'nar',
  `${'e'.repeat(32)}.ls`,
  'log/',
  'log/x.drv',
  `log/${'0'.repeat(32)}-x`,
  `log/../${'0'.repeat(32)}-x.drv`,
  `log/a/${'0'.repeat(32)}-x.drv`,
  'debuginfo/x',
  `debuginfo/${'0'.repeat(40)}/x`,
  'realisations/x',
  `build-trace-v2/${'0'.repeat(32)}-x.drv/../x.doi`,
  `build-trace-v2/${'0'.repeat(32)}-x/out.doi`,
  '__proto__',
])('%s is no object', async (name) => {
  expect(await put(name, '')).toMatchObject({ status: 404 });
});

it('a listing is received and dropped', async () => {
  const name = `${'a'.repeat(32)}.ls`;
  expect(await put(name, gzipSync('{"lies":true}'), 'gzip')).toMatchObject({ status: 200 });
  expect(await served(name)).toBeUndefined();
  expect(await cache.storage.size(name)).toBeNull();
});

describe('a log', () => {
  const name = `log/${'0'.repeat(32)}-hello.drv`;

  it('is published as it was before it was packed, for good', async () => {
    expect(await put(name, gzipSync('built\n'), 'gzip')).toMatchObject({ status: 200 });
    expect(await served(name)).toBe('built\n');
    expect(await put(name, 'built\n')).toMatchObject({ status: 200 });
    expect(await put(name, 'other\n')).toMatchObject({ status: 409 });
    expect(await served(name)).toBe('built\n');
  });

  it('that holds a home is refused, and kept as a NAR', async () => {
    expect(await put(name, 'cd /home/noamyr\n')).toMatchObject({ status: 403 });
    expect(await served(name)).toBeUndefined();
    expect(cache.refused[0]?.name).toMatch(/^nar\/[0-9a-z]{52}\.nar$/);
    expect(cache.refused[0]?.target).toBe(name);
    expect(cache.refused[0]?.bytes.includes('cd /home/noamyr')).toBe(true);
  });

  it('that would be refused is taken by a dry run and not kept: nothing would say later what it was', async () => {
    await cache[Symbol.asyncDispose]();
    cache = await CacheOfTests.open({ dryRun: true });
    expect(await put(name, 'cd /home/noamyr\n')).toMatchObject({ status: 200 });
    expect(await served(name)).toBeUndefined();
    expect(cache.log).toEqual([expect.stringContaining('in spite of being contaminated')]);
    expect(await put(name, 'built\n')).toMatchObject({ status: 200 });
    expect(await served(name)).toBe('built\n');
  });

  it('that is too long, also unpacked, is refused', async () => {
    const packed = gzipSync(Buffer.alloc(LIMITS.logBytes + 1));
    expect(await put(name, packed, 'gzip')).toMatchObject({ status: 413 });
  });
});

describe('what is not to be served any more', () => {
  const log = `log/${'0'.repeat(32)}-hello.drv`;
  const id = `sha256:${'0'.repeat(64)}!out`;
  const realisation = `realisations/${id}.doi`;
  const debugInfo = `debuginfo/${'0'.repeat(40)}`;
  const base = (storePath: string): string => storePath.slice(STORE_DIR.length + 1);
  const realised = (storePath: string) => ({ id, outPath: base(storePath), signatures: [] });
  const offered = async (): Promise<readonly string[]> => {
    const names: string[] = [];
    for (const name of [log, realisation, debugInfo])
      if ((await cache.parts.catalog.object(name)) !== null) names.push(name);
    return names;
  };
  beforeEach(async () => {
    await cache.upload(CLEAN, PATH);
    await put(log, 'built\n');
    await put(realisation, realised(PATH));
    await put(debugInfo, { archive: `../${NAR}`, member: 'lib/x.debug' });
  });

  it('is gone with the path that it leads to, and back with it', async () => {
    expect(await offered()).toEqual([log, realisation, debugInfo]);
    for (const denied of [PATH, narInfoOf(CLEAN, PATH).narHash]) {
      cache.denied.add(denied);
      expect(await offered()).toEqual([log]);
      cache.denied.clear();
    }
    expect(await offered()).toEqual([log, realisation, debugInfo]);
  });

  it('is gone where its own text is denied, as a log also with its derivation', async () => {
    for (const [name, others] of [
      [log, [realisation, debugInfo]],
      [realisation, [log, debugInfo]],
    ] as const) {
      const text = await cache.catalog.object(name);
      cache.denied.add(textNar(text?.bytes ?? Buffer.of()).narHash);
      expect(await offered()).toEqual(others);
      cache.denied.clear();
    }
    cache.denied.add(`${STORE_DIR}/${'0'.repeat(32)}-hello.drv`);
    expect(await offered()).toEqual([realisation, debugInfo]);
    expect(await put(log, 'built otherwise\n')).toMatchObject({ status: 409 });
  });

  it('keeps its place while people may take the denial back', async () => {
    const other = pathOf('c');
    await cache.upload(narWith('other'), other);
    cache.denied.add(PATH);
    expect(await put(realisation, realised(other))).toMatchObject({ status: 409 });
    cache.denied.clear();
    expect(JSON.parse((await served(realisation)) ?? '')).toMatchObject({ outPath: base(PATH) });
  });

  it('gives way where it leads to what a dry run let in', async () => {
    const path = await cache.catalog.published('a'.repeat(32));
    if (path === null) throw new Error('it is not published');
    await cache[Symbol.asyncDispose]();
    cache = await CacheOfTests.open();
    await cache.catalog.publish({ ...path, verdict: 'contaminated' });
    const info = { archive: `../${NAR}`, member: 'lib/x.debug' };
    await cache.catalog.putObject(realisation, Buffer.from(JSON.stringify(realised(PATH))), 'text/plain');
    await cache.catalog.putObject(debugInfo, Buffer.from(JSON.stringify(info)), 'text/plain');
    expect(await offered()).toEqual([]);
    const [other, bytes] = [pathOf('c'), narWith('other')];
    await cache.upload(bytes, other);
    const archive = `../${narInfoOf(bytes, other).url}`;
    expect(await put(realisation, realised(other))).toMatchObject({ status: 200 });
    expect(await put(debugInfo, { ...info, archive })).toMatchObject({ status: 200 });
    expect(await offered()).toEqual([realisation, debugInfo]);
    expect(JSON.parse((await served(realisation)) ?? '')).toMatchObject({ outPath: base(other) });
    expect(JSON.parse((await served(debugInfo)) ?? '')).toMatchObject({ archive });
  });
});

describe('debuginfo', () => {
  const name = `debuginfo/${'0'.repeat(40)}`;
  const info = { archive: `../${NAR}`, member: 'lib/x.debug' };

  it('waits for its NAR, and is published with it', async () => {
    expect(await put(name, info)).toMatchObject({ status: 200 });
    expect(await served(name)).toBeUndefined();
    await cache.upload(CLEAN, PATH);
    expect(JSON.parse((await served(name)) ?? '')).toEqual(info);
  });

  it('that begins to wait while its NAR is published is not forgotten', async () => {
    cache.beforePublished = () => put(name, info);
    await cache.upload(CLEAN, PATH);
    expect(JSON.parse((await served(name)) ?? '')).toEqual(info);
  });

  it('is published at once into a NAR that is published, and the first one stays', async () => {
    await cache.upload(CLEAN, PATH);
    expect(await put(name, { ...info, more: '/home/noamyr' })).toMatchObject({ status: 200 });
    expect(JSON.parse((await served(name)) ?? '')).toEqual(info);
    expect(await put(name, info)).toMatchObject({ status: 200 });
  });

  it.each([
    'lib/y',
    'lib',
    '',
    'x.debug',
    'lib/x.debug/y',
    'lib/__proto__',
    'lib/../lib/x.debug',
    '/lib/x.debug',
  ])('is refused where %j is no file of its NAR', async (member) => {
    await put(name, { ...info, member });
    await cache.upload(CLEAN, PATH);
    expect(await served(name)).toBeUndefined();
    expect(await put(name, { ...info, member })).toMatchObject({
      status: 400,
      line: expect.stringMatching(/OBJECT_INVALID/),
    });
  });

  it('is refused with an archive that is no NAR of this cache, whatever it is', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.webUrl(), fc.constantFrom(NAR, `../../${NAR}`, `..//${NAR}`)),
        (archive) => {
          expect(parseDebugInfo(Buffer.from(JSON.stringify({ archive, member: 'a' })))).toBeNull();
        },
      ),
    );
    fc.assert(
      fc.property(fc.oneof(fc.json(), fc.string()), (text) => {
        expect(parseDebugInfo(Buffer.from(text))).toBeNull();
      }),
    );
  });
});

describe('a realisation', () => {
  const id = `sha256:${'0'.repeat(64)}!out`;
  const name = `realisations/${id}.doi`;
  const signature = signText(generateSecretKey('alice-1'), 'x');
  const value = {
    dependentRealisations: { [`sha256:${'1'.repeat(64)}!lib`]: `${'b'.repeat(32)}-lib` },
    id,
    outPath: PATH.slice(STORE_DIR.length + 1),
    signatures: [signature],
  };

  it('is published with what Nix knows of it, once its path is', async () => {
    expect(await put(name, value)).toMatchObject({ status: 422, line: expect.stringMatching(/is not here/) });
    await cache.upload(CLEAN, PATH);
    expect(await put(name, { ...value, builder: 'alice' })).toMatchObject({ status: 200 });
    expect(JSON.parse((await served(name)) ?? '')).toEqual(value);
  });

  it('has its first value for good, under whatever signatures', async () => {
    await cache.upload(CLEAN, PATH);
    await cache.upload(narWith('other'), pathOf('c'));
    await put(name, value);
    expect(await put(name, { ...value, signatures: [] })).toMatchObject({ status: 200 });
    expect(await put(name, { ...value, outPath: `${'c'.repeat(32)}-hello` })).toMatchObject({ status: 409 });
    expect(JSON.parse((await served(name)) ?? '')).toEqual(value);
  });

  it('of a path of another name is refused', async () => {
    await cache.upload(CLEAN, PATH);
    expect(await put(name, { ...value, outPath: `${'a'.repeat(32)}-other` })).toMatchObject({ status: 422 });
  });

  it('that holds a home is refused', async () => {
    await cache.upload(CLEAN, PATH);
    const signatures = [`/home/noamyr${signature.slice(7)}`];
    expect(await put(name, { ...value, signatures })).toMatchObject({ status: 403 });
  });

  it('may be a build trace of a newer Nix', async () => {
    const trace = `build-trace-v2/${'0'.repeat(32)}-hello.drv/out.doi`;
    const { outPath } = value;
    const [keyName = '', sig = ''] = signature.split(':');
    const newer = { outPath, signatures: [{ keyName, sig }, signature] };
    expect(await put(trace, newer)).toMatchObject({ status: 422 });
    await cache.upload(CLEAN, PATH);
    expect(await put(trace, newer)).toMatchObject({ status: 200 });
    expect(JSON.parse((await served(trace)) ?? '')).toEqual(newer);
  });

  it.each<[string, unknown]>([
    ['nothing', ''],
    ['no object', []],
    ['bytes that are no text', Buffer.of(0x22, 0xff, 0x22)],
    ['another id', { ...value, id: `sha256:${'1'.repeat(64)}!out` }],
    ['no path', { ...value, outPath: PATH }],
    ['no signatures', { ...value, signatures: {} }],
    ['a signature that is none', { ...value, signatures: ['alice-1'] }],
    ['a signature with more in it', { ...value, signatures: [{ keyName: 'a', sig: 'AAAA', x: 1 }] }],
    ['too many signatures', { ...value, signatures: Array(65).fill(signature) }],
    ['other things that it depends on', { ...value, dependentRealisations: { x: 'y' } }],
  ])('with %s is refused', async (_name, content) => {
    await cache.upload(CLEAN, PATH);
    expect(await put(name, content)).toMatchObject({
      status: 400,
      line: expect.stringMatching(/OBJECT_INVALID/),
    });
  });

  it('is null for any other JSON', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        expect(parseRealisation(Buffer.from(text), id)).toBeNull();
        expect(parseRealisation(Buffer.from(text), null)).toBeNull();
      }),
    );
  });
});

it.each<[string, number]>([
  [`StoreDir: ${STORE_DIR}\n`, 200],
  [`StoreDir: ${STORE_DIR}`, 200],
  [`WantMassQuery: 1\nStoreDir: ${STORE_DIR}\nPriority: 30\n`, 200],
  ['StoreDir: /gnu/store\n', 409],
  [`StoreDir: ${STORE_DIR}\nStoreDir: /gnu/store\n`, 409],
  [`StoreDir: ${STORE_DIR}/\n`, 409],
  ['', 409],
])('nix-cache-info: %j is answered %i', async (text, status) => {
  expect(await cache.publications.cacheInfo(body(text))).toMatchObject({ status });
});

it('what came as a token was taken away is not taken, whatever it is', async () => {
  await cache.upload(CLEAN, PATH);
  const gone = async (): Promise<never> => {
    throw new NarScanError('ACCESS_UNKNOWN_TOKEN', 'the token does not count any more');
  };
  const other = narWith('another');
  const info = narInfoOf(other, pathOf('b'));
  await cache.receive(other, info);
  const id = `sha256:${'0'.repeat(64)}!out`;
  const realisation = { id, outPath: PATH.slice(STORE_DIR.length + 1), signatures: [] };
  const sent: readonly [string, unknown][] = [
    [`log/${'0'.repeat(32)}-hello.drv`, 'built'],
    [`realisations/${id}.doi`, realisation],
    [`debuginfo/${'0'.repeat(40)}`, { archive: `../${NAR}`, member: 'lib/x.debug' }],
  ];
  for (const [name, content] of sent) {
    const bytes = typeof content === 'string' ? content : JSON.stringify(content);
    expect(await cache.publications.object(name, body(bytes), gone)).toMatchObject({ status: 401 });
    expect(await served(name)).toBeUndefined();
  }
  const answer = await cache.publications.narInfo('b'.repeat(32), body(narInfoText(info)), gone);
  expect(answer).toMatchObject({ status: 401 });
  expect(await cache.catalog.published('b'.repeat(32))).toBeNull();
});

it('nothing is taken for good where the disk has only what catalog and audit trail need', async () => {
  const huge = { ...body('built'), length: Number.MAX_SAFE_INTEGER };
  const name = `log/${'0'.repeat(32)}-hello.drv`;
  const answer = await cache.publications.object(name, huge, async () => callerWith());
  expect(answer).toMatchObject({ status: 413, line: expect.stringContaining('UPLOAD_NO_ROOM') });
});
