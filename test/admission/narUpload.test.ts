import { existsSync, readFileSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { expireReceived } from '../../src/admission/narUpload.ts';
import { NarScanError } from '../../src/model/errors.ts';
import { contentName } from '../../src/nix/narHash.ts';
import { hashOfNar } from '../../src/quarantine/store/narFile.ts';
import { gap } from '../report/madeFacts.ts';
import { Inspections } from '../support/inspections.ts';
import { caller, narName, NarUploadsOfTests, sha256, type UploadSettings } from '../support/narUploads.ts';
import { directory, exported, file, nar, uint64 } from '../support/narWriter.ts';
import { needs } from '../support/programs.ts';
import { NIX_COMPRESSIONS, SymlinkedStore } from '../support/realNix.ts';

const narWith = (text: string): Buffer => nar(directory(['bin', directory(['tool', file(text)])]));
const CLEAN = narWith('hello');
const LEAKY = narWith('made at /home/noamyr/src');
const FOREIGN = narWith('by /home/bobby/x');

const inspections = new Inspections();
afterAll(async () => await inspections[Symbol.asyncDispose]());

const open: NarUploadsOfTests[] = [];
async function opened(options?: UploadSettings): Promise<NarUploadsOfTests> {
  const made = await NarUploadsOfTests.open(inspections.inspector, options);
  open.push(made);
  return made;
}
afterEach(async () => {
  for (const made of open.splice(0)) await made[Symbol.asyncDispose]();
});

const BUILDER = caller('/home/noamyr');
const idIn = (line: string): string => /quarantine ([0-9a-f]{16})/.exec(line)?.[1] ?? '';

describe('a clean NAR', () => {
  it('is received, whole and once, and waits for its narinfo', async () => {
    const tests = await opened();
    expect(await tests.put(CLEAN, BUILDER)).toMatchObject({ status: 200 });
    const received = await tests.catalog.received(narName(CLEAN));
    const hash = sha256(CLEAN);
    expect(received).toMatchObject({
      fileHash: hash,
      narHash: hash,
      narSize: CLEAN.length,
      compression: 'none',
    });
    expect(readFileSync(received?.file ?? '').equals(CLEAN)).toBe(true);
    expect(await tests.isKnown(CLEAN)).toBe(true);
    expect(await tests.put(CLEAN)).toMatchObject({ status: 200, line: expect.stringContaining('already') });
    expect([tests.files('spool'), tests.files('received')]).toMatchObject([[], [expect.any(String)]]);
  });

  it('is told from its packing by its bytes', async () => {
    const tests = await opened();
    const packed = zstdCompressSync(CLEAN);
    expect(await tests.put(packed, BUILDER, narName(packed, '.zst'))).toMatchObject({ status: 200 });
    const received = await tests.catalog.received(narName(packed, '.zst'));
    expect(received).toMatchObject({ compression: 'zstd', narHash: sha256(CLEAN), narSize: CLEAN.length });
    const unnamed = gzipSync(CLEAN);
    expect(await tests.put(unnamed, BUILDER)).toMatchObject({ status: 200 });
    expect(await tests.catalog.received(narName(unnamed))).toMatchObject({ compression: 'gzip' });
  });

  it('that two clients send at once ends as one', async () => {
    const tests = await opened();
    const send = async (pieces: readonly Buffer[]) => {
      const stream = Readable.from(pieces);
      return await tests.uploads.put(
        narName(CLEAN),
        { stream, length: CLEAN.length, encoding: null },
        BUILDER,
      );
    };
    const halves = [CLEAN.subarray(0, 50), CLEAN.subarray(50)];
    const answers = await Promise.all([send(halves), send([CLEAN]), send(halves), tests.put(CLEAN)]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    expect([tests.files('spool'), tests.files('received')]).toMatchObject([[], [expect.any(String)]]);
  });

  it('is taken again where its file is lost, and where the storage lost what was published', async () => {
    const tests = await opened();
    await tests.put(CLEAN);
    const received = await tests.catalog.received(narName(CLEAN));
    rmSync(received?.file ?? '');
    expect(await tests.isKnown(CLEAN)).toBe(false);
    expect(await tests.put(CLEAN)).toMatchObject({ status: 200 });
    await tests.catalog.publish({
      hashPart: 'a'.repeat(32),
      storePath: `/nix/store/${'a'.repeat(32)}-x`,
      narInfo: '',
      narName: narName(CLEAN),
      narHash: sha256(CLEAN),
      narSize: CLEAN.length,
      fileHash: sha256(CLEAN),
      fileSize: CLEAN.length,
      verdict: 'clean',
      isUninspected: false,
      rules: '',
      by: 'noamyr',
      at: 1,
    });
    await tests.catalog.forgetReceived(Number.MAX_SAFE_INTEGER);
    expect(await tests.isKnown(CLEAN)).toBe(false);
    tests.stored.set(narName(CLEAN), CLEAN.length);
    expect(await tests.isKnown(CLEAN)).toBe(true);
  });

  it('waits anew when it is sent again', async () => {
    const tests = await opened({ admission: { keepReceived: 2 } });
    await tests.put(CLEAN);
    const received = await tests.catalog.received(narName(CLEAN));
    if (received === null) throw new Error('it was not received');
    await tests.catalog.receive({ ...received, at: Date.now() - 7_190_000 });
    expect(await tests.isKnown(CLEAN)).toBe(true);
    expect(await expireReceived(tests.parts, Date.now() + 20_000)).toBe(0);
    expect(await tests.isKnown(CLEAN)).toBe(true);
  });

  it('is forgotten when its narinfo does not come', async () => {
    const tests = await opened({ admission: { keepReceived: 2 } });
    await tests.put(CLEAN);
    const now = Date.now();
    expect(await expireReceived(tests.parts, now + 7_190_000)).toBe(0);
    expect(await expireReceived(tests.parts, now + 7_210_000)).toBe(1);
    expect(tests.files('received')).toEqual([]);
    expect(await tests.isKnown(CLEAN)).toBe(false);
  });
});

describe('a NAR with a leak', () => {
  it('is refused with a line that says what, and kept in the quarantine', async () => {
    const tests = await opened();
    const { status, line } = await tests.put(LEAKY, BUILDER);
    expect(status).toBe(403);
    expect(line).toContain('known-home /home/noamyr in bin/tool (bytes); quarantine ');
    const id = idIn(line);
    expect(line).toContain(`https://cache.example.org/review/outputs/${id}`);
    expect(await hashOfNar(join(tests.state, 'quarantine', id, 'output.nar.zst'))).toBe(sha256(LEAKY));
    expect(await tests.records()).toMatchObject([
      { event: 'quarantined', id, actor: 'noamyr', storePath: contentName(sha256(LEAKY)), notKept: null },
    ]);
    expect([tests.files('spool'), tests.files('received')]).toEqual([[], []]);
    expect(await tests.catalog.received(narName(LEAKY))).toBeNull();
    expect((await tests.catalog.hours(1, Date.now())).at(-1)).toMatchObject({
      refused: 1,
      bytes: LEAKY.length,
    });
  });

  it('is refused before its body when it comes again, as long as it would be judged the same', async () => {
    const tests = await opened();
    const { line } = await tests.put(LEAKY, BUILDER);
    expect(await tests.uploads.before(narName(LEAKY), LEAKY.length, BUILDER)).toEqual({ status: 403, line });
    expect(await tests.isKnown(LEAKY, caller('/home/alice', '/home/noamyr'))).toBe(false);
    await tests.release(idIn(line));
    expect(await tests.isKnown(LEAKY, BUILDER)).toBe(false);
    expect(await tests.put(LEAKY, BUILDER)).toMatchObject({ status: 200 });
  });

  it('is the same under another compression: refused, or released', async () => {
    const tests = await opened();
    const first = await tests.put(LEAKY, BUILDER);
    const packed = zstdCompressSync(LEAKY);
    const second = await tests.put(packed, BUILDER, narName(packed, '.zst'));
    expect(second).toMatchObject({ status: 403 });
    expect(idIn(second.line)).toBe(idIn(first.line));
    expect(await tests.records()).toHaveLength(1);
    await tests.release(idIn(first.line));
    const other = gzipSync(LEAKY);
    expect(await tests.put(other, BUILDER)).toMatchObject({ status: 200 });
    await tests.deny(sha256(LEAKY));
    const third = gzipSync(LEAKY, { level: 1 });
    expect(await tests.put(third, BUILDER)).toMatchObject({
      status: 403,
      line: 'nar-scan: denied by alice@host (record 3): never',
    });
  });

  it('does not pass because a release was for less', async () => {
    const tests = await opened();
    const both = narWith('made at /home/noamyr/src and /gpfs/u17/x');
    const one = await tests.put(both, BUILDER);
    await tests.release(idIn(one.line));
    expect(await tests.put(gzipSync(both), caller('/home/noamyr', '/gpfs/u17'))).toMatchObject({
      status: 403,
    });
  });

  it('is admitted and told of where nothing is refused', async () => {
    const tests = await opened({ dryRun: true });
    expect(await tests.put(LEAKY, BUILDER)).toMatchObject({ status: 200 });
    expect(tests.log).toEqual([
      expect.stringMatching(
        / of noamyr is taken in spite of being contaminated: known-home \/home\/noamyr in /,
      ),
    ]);
    expect(await tests.put(Buffer.from('no NAR'), BUILDER)).toMatchObject({ status: 422 });
  });
});

describe('a foreign home', () => {
  it('is held for a client without homes, a warning for one with, and settled by an approval', async () => {
    const tests = await opened();
    expect(await tests.put(FOREIGN)).toMatchObject({
      status: 403,
      line: expect.stringContaining('held for review: foreign-home /home/bobby in bin/tool'),
    });
    expect((await tests.catalog.hours(1, Date.now())).at(-1)).toMatchObject({ held: 1 });
    expect(await tests.isKnown(FOREIGN)).toBe(true);
    expect(await tests.put(gzipSync(FOREIGN), BUILDER)).toMatchObject({ status: 200 });
    const approval = { reason: 'the author', actor: 'alice', at: 1 };
    await tests.catalog.approve({ ...approval, home: '/home/bob' });
    expect(await tests.put(FOREIGN)).toMatchObject({ status: 403 });
    await tests.catalog.approve({ ...approval, home: '/home/bobby' });
    expect(await tests.put(FOREIGN)).toMatchObject({ status: 200 });
  });

  it('is an error where the policy says so, whoever sends it', async () => {
    const tests = await opened({ admission: { foreignHome: 'error' } });
    expect(await tests.put(FOREIGN, BUILDER)).toMatchObject({ status: 403 });
  });
});

describe('an upload', () => {
  it('that is no NAR, or only half of one, is refused', async () => {
    const tests = await opened();
    const half = CLEAN.subarray(0, 100);
    expect(await tests.put(half)).toMatchObject({
      status: 422,
      line: expect.stringContaining('NAR_TRUNCATED'),
    });
    expect(await tests.put(Buffer.alloc(0))).toMatchObject({ status: 422 });
    expect((await tests.catalog.hours(1, Date.now())).at(-1)).toMatchObject({ malformed: 2 });
    expect(await tests.isKnown(half)).toBe(true);
  });

  it('that is another one than its name says counts with what has come of it, whatever was announced', async () => {
    const tests = await opened();
    const stream = Readable.from([LEAKY]);
    const sent = { stream, length: null, encoding: null };
    expect(await tests.uploads.put(narName(CLEAN), sent, BUILDER)).toMatchObject({ status: 400 });
    const [hour] = await tests.catalog.hours(1, Date.now());
    expect(hour).toMatchObject({ malformed: 1, bytes: LEAKY.length });
  });

  it.each([
    ['as it is', (stream: Buffer) => stream],
    ['packed', (stream: Buffer) => gzipSync(stream)],
  ])(
    'that is an export stream is no NAR, %s: what follows its first output would be served, too',
    async (_, pack) => {
      const tests = await opened();
      const path = '/nix/store/00bgd045z0d4icpbc2yyz4gx48ak44la-hello';
      const stream = Buffer.concat([
        exported(CLEAN, path),
        exported(narWith('more'), `${path}-lib`),
        uint64(0),
      ]);
      expect(await tests.put(pack(stream), BUILDER)).toMatchObject({
        status: 422,
        line: expect.stringContaining('no NAR that can be admitted'),
      });
      expect(tests.files('received')).toEqual([]);
    },
  );

  it('whose name is none, or not that of its content, is refused and gives nobody a bad name', async () => {
    const tests = await opened();
    for (const name of [
      'nar/x.nar',
      `nar/${'e'.repeat(52)}.nar`,
      `${narName(CLEAN)}/..`,
      narName(CLEAN, '.exe'),
    ])
      expect(await tests.put(CLEAN, BUILDER, name)).toMatchObject({
        status: 400,
        line: expect.stringMatching(/UPLOAD_NAME/),
      });
    const trailing = Buffer.concat([CLEAN, Buffer.alloc(8)]);
    for (const bytes of [LEAKY, gzipSync(CLEAN), CLEAN.subarray(0, -8), trailing, Buffer.alloc(0)])
      expect(await tests.put(bytes, BUILDER, narName(CLEAN))).toMatchObject({
        status: 400,
        line: expect.stringMatching(/UPLOAD_HASH/),
      });
    expect([tests.files('spool'), tests.files('received')]).toEqual([[], []]);
    expect(existsSync(join(tests.state, 'quarantine'))).toBe(false);
    expect(await tests.put(CLEAN, BUILDER)).toMatchObject({ status: 200 });
  });

  it('whose ending says another compression is refused', async () => {
    const tests = await opened();
    const packed = gzipSync(CLEAN);
    expect(await tests.put(packed, BUILDER, narName(packed, '.xz'))).toMatchObject({
      status: 400,
      line: expect.stringMatching(/UPLOAD_NAME: .* is packed otherwise: gzip/),
    });
  });

  it.each([
    ['lzop', '\x89LZO\0\r\n\x1a\n'],
    ['lrzip', 'LRZI\0\x06'],
    ['grzip', 'GRZipII\0\x02'],
  ])('that is packed by %s is told which to use', async (program, magic) => {
    const tests = await opened();
    const bytes = Buffer.from(`${magic}${'x'.repeat(100)}`, 'latin1');
    expect(await tests.put(bytes)).toMatchObject({
      status: 422,
      line: expect.stringMatching(new RegExp(`is packed by ${program}; copy with \\?compression=zstd`)),
    });
  });

  it('that is too large, or for which there is no room, is refused before its body', async () => {
    const tests = await opened({ admission: { maxNar: 200 } });
    const name = narName(CLEAN);
    expect(await tests.uploads.before(name, 201, BUILDER)).toMatchObject({ status: 413 });
    expect(await tests.uploads.before(name, null, BUILDER)).toBeNull();
    const stream = Readable.from([Buffer.alloc(201)]);
    expect(await tests.uploads.put(name, { stream, length: null, encoding: null }, BUILDER)).toMatchObject({
      status: 413,
    });
    const vast = await opened({ admission: { maxNar: Number.MAX_SAFE_INTEGER } });
    expect(await vast.uploads.before(name, 2 ** 52, BUILDER)).toMatchObject({
      status: 413,
      line: expect.stringMatching(/UPLOAD_NO_ROOM/),
    });
  });

  it('that breaks off leaves nothing behind', async () => {
    const tests = await opened();
    const stream = new Readable({ read: () => undefined });
    stream.push(CLEAN.subarray(0, 100));
    const putting = tests.uploads.put(
      narName(CLEAN),
      { stream, length: CLEAN.length, encoding: null },
      BUILDER,
    );
    setTimeout(() => stream.destroy(new Error('gone')), 20);
    expect(await putting).toMatchObject({ status: 400, line: expect.stringMatching(/UPLOAD_TRUNCATED/) });
    expect([tests.files('spool'), tests.files('received')]).toEqual([[], []]);
  });
});

describe.skipIf(!needs('nix', 'nix-build'))('a NAR of the real Nix', () => {
  let store: SymlinkedStore;
  let nixInspections: Inspections;
  beforeAll(() => {
    store = new SymlinkedStore();
    nixInspections = new Inspections({ storeDir: store.storeDir });
  });
  afterAll(async () => {
    await nixInspections[Symbol.asyncDispose]();
    store[Symbol.dispose]();
  });

  it('is opened, hashed and judged however Nix has packed it', async () => {
    const clean = store.build('clean', 'mkdir $out; echo hello > $out/hello');
    const leaky = store.build('leaky', 'mkdir $out; realpath $out > $out/where');
    const builder = caller(store.home);
    await using tests = await NarUploadsOfTests.open(nixInspections.inspector);
    const ids = new Set<string>();
    for (const compression of NIX_COMPRESSIONS) {
      const good = store.copyToCache(clean, compression);
      const name = `nar/${basename(good)}`;
      const answer = await tests.put(readFileSync(good), builder, name);
      expect([compression, answer]).toMatchObject([compression, { status: 200 }]);
      const received = await tests.catalog.received(name);
      expect(received).toMatchObject({ compression, narHash: store.narHash(clean) });
      const bad = store.copyToCache(leaky, compression);
      const refusal = await tests.put(readFileSync(bad), builder, `nar/${basename(bad)}`);
      expect([compression, refusal]).toMatchObject([compression, { status: 403 }]);
      ids.add(idIn(refusal.line));
    }
    const [id = ''] = ids;
    expect([...ids]).toEqual([id]);
    expect(await hashOfNar(join(tests.state, 'quarantine', id, 'output.nar.zst'))).toBe(store.narHash(leaky));
  });
});

describe('a fault of the server', () => {
  const failed = () => Promise.reject(new NarScanError('SCAN_FAILED', 'a thread died'));

  it('admits nothing, and says that another try may help', async () => {
    const tests = await opened({ inspector: { nar: failed } });
    expect(await tests.put(CLEAN)).toMatchObject({ status: 503, line: expect.stringMatching(/SCAN_FAILED/) });
    expect(tests.log).toMatchObject([{ code: 'SCAN_FAILED' }]);
    expect([tests.files('spool'), tests.files('received')]).toEqual([[], []]);
  });

  it('lets pass as incomplete what it may, where the operator has said so', async () => {
    const tests = await opened({ admission: { onFailure: 'open' }, inspector: { nar: failed } });
    const packed = gzipSync(CLEAN);
    expect(await tests.put(packed)).toMatchObject({ status: 200 });
    expect(await tests.catalog.received(narName(packed))).toMatchObject({
      compression: 'gzip',
      narHash: sha256(CLEAN),
      narSize: CLEAN.length,
    });
    expect(tests.log).toEqual([
      expect.stringContaining(
        `${narName(packed)} of noamyr is taken in spite of being incomplete: internal in`,
      ),
    ]);
    expect(tests.files('spool')).toEqual([]);
    await tests.deny(sha256(CLEAN));
    expect(await tests.put(gzipSync(CLEAN, { level: 1 }))).toMatchObject({ status: 403 });
    const blind = await opened({
      admission: { onFailure: 'open' },
      inspector: { nar: failed, repack: failed },
    });
    expect(await blind.put(CLEAN)).toMatchObject({ status: 503 });
  });

  it('is not remembered against a NAR', async () => {
    const real = inspections.inspector;
    let isBusy = true;
    const nar: typeof real.nar = async (...args) => {
      const found = await real.nar(...args);
      const late = gap('bin/tool', 'it took too long', 'limit-time');
      return isBusy ? { ...found, facts: { ...found.facts, gaps: [late] } } : found;
    };
    const tests = await opened({ inspector: { nar } });
    expect(await tests.put(CLEAN)).toMatchObject({ status: 422 });
    isBusy = false;
    expect(await tests.put(CLEAN)).toMatchObject({ status: 200 });
  });

  it('that keeps the quarantine from being written refuses all the same', async () => {
    const tests = await opened({ inspector: { repack: failed } });
    const { status, line } = await tests.put(LEAKY, BUILDER);
    expect(status).toBe(403);
    expect(await tests.records()).toMatchObject([
      { id: idIn(line), kept: null, notKept: expect.any(String) },
    ]);
  });

  it('that hides what was decided admits nothing', async () => {
    const tests = await opened();
    await tests.put(LEAKY, BUILDER);
    rmSync(join(tests.state, 'audit.jsonl'));
    expect(await tests.put(CLEAN)).toMatchObject({ status: 503, line: expect.stringMatching(/AUDIT_/) });
    expect(tests.files('received')).toEqual([]);
  });
});
