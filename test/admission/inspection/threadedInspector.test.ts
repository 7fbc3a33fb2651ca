import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, gzipSync, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { InspectionScheduler } from '../../../src/admission/inspection/scheduler.ts';
import type { OutputFacts } from '../../../src/model/facts.ts';
import { TreeNar } from '../../../src/sources/treeNar.ts';
import { BUILT_IN_POLICY } from '../../../src/policy/policy.ts';
import { runEngine } from '../../support/engineRun.ts';
import { Inspections } from '../../support/inspections.ts';
import { directory, exported, file, nar } from '../../support/narWriter.ts';
import { needs } from '../../support/programs.ts';

const LEAKS = join(import.meta.dirname, '../../../fixtures/leaks');
const HASH = 'q3lv9bi7r4di3kxdjhy7kvwgvpmanfza';
const OTHER = '7k5p0sx1h2nfqlvz8c3mdjw9rybg46ia';
const UNKNOWN = { homes: ['/home/noamyr'], path: null };

let inspections: Inspections;
beforeAll(() => void (inspections = new Inspections({ scans: 2 })));
afterAll(async () => await inspections[Symbol.asyncDispose]());

/** The NAR of a tree on disk. */
function narOf(tree: string): Buffer {
  using source = new TreeNar(tree);
  const pieces: Buffer[] = [];
  for (;;) {
    const memory = Buffer.alloc(1 << 20);
    const count = source.read(memory, 0, memory.length);
    if (count === 0) return Buffer.concat(pieces);
    pieces.push(memory.subarray(0, count));
  }
}

function timeless(facts: OutputFacts): unknown {
  return { ...facts, target: '', stats: { ...facts.stats, milliseconds: 0 } };
}

async function inspected(
  bytes: Uint8Array,
  name = 'nar/x.nar',
  context: Parameters<Inspections['inspector']['nar']>[2] = UNKNOWN,
) {
  return await inspections.inspector.nar(inspections.file(bytes), name, context, null, bytes.length, {
    listing: true,
  });
}

const packed =
  (program: string, ...args: string[]) =>
  (bytes: Buffer) =>
    execFileSync(program, args, { input: bytes, maxBuffer: 1 << 30 });

describe('a NAR has the facts that a local scan of it has', () => {
  test.each([
    ['none', (bytes: Buffer) => bytes, true],
    ['gzip', gzipSync, true],
    ['zstd', zstdCompressSync, true],
    ['br', (bytes: Buffer) => brotliCompressSync(bytes, { params: { 1: 3 } }), true],
    ['xz', packed('xz', '-c'), needs('xz')],
    ['bzip2', packed('bzip2', '-c'), needs('bzip2')],
    ['lzip', packed('lzip', '-c'), needs('lzip')],
    ['lz4', packed('lz4', '-c'), needs('lz4')],
    ['lzma', packed('xz', '--format=lzma', '-c'), needs('xz')],
    ['compress', packed('compress', '-c'), needs('compress')],
  ])('packed by %s', async (compression, pack, can) => {
    if (!can) return;
    const bytes = pack(narOf(LEAKS));
    const name = compression === 'br' ? 'nar/x.nar.br' : 'nar/x.nar';
    const found = await inspected(bytes, name);
    const local = join(inspections.folder, compression === 'br' ? 'local.nar.br' : `${compression}.nar`);
    execFileSync('cp', [inspections.file(bytes), local]);
    const { outputs } = await runEngine({ targets: [local] });
    expect(timeless(found.facts)).toEqual(timeless(outputs[0] as OutputFacts));
    expect(found).toMatchObject({ compression, narSize: narOf(LEAKS).length, narHash: outputs[0]?.narHash });
    expect(found.facts.findings.length).toBeGreaterThan(100);
    expect(JSON.parse(found.listing ?? '')).toMatchObject({ version: 1, root: { type: 'directory' } });
  });
});

describe('a NAR whose path is known', () => {
  const bytes = nar(
    directory(
      ['mine', file(Buffer.from(`/data/stuff/${HASH}-x/lib`, 'utf16le'))],
      ['other', file(`/data/store/${OTHER}-y/lib`)],
    ),
  );
  const severities = (facts: OutputFacts) =>
    facts.findings.map(({ severity, hashPart }) => `${hashPart} ${severity}`);

  test('is searched for its own hash part, and weighed by its references', async () => {
    const storePath = `/nix/store/${HASH}-x`;
    const path = { storePath, references: [] };
    const alone = await inspected(bytes, 'nar/x.nar', { homes: [], path });
    expect(severities(alone.facts)).toEqual([`${HASH} error`, `${OTHER} warning`]);
    expect(alone.facts.storePath).toBe(storePath);
    const references = [`/nix/store/${OTHER}-y`];
    const both = await inspected(bytes, 'nar/x.nar', { homes: [], path: { storePath, references } });
    expect(severities(both.facts)).toEqual([`${HASH} error`, `${OTHER} error`]);
  });

  test('has the facts of references that nobody knows where it is not', async () => {
    const { facts } = await inspected(bytes, 'nar/x.nar', { homes: [], path: null });
    expect([facts.storePath, severities(facts)]).toEqual([null, expect.arrayContaining([`${OTHER} error`])]);
  });
});

describe('what is no whole NAR has a gap', () => {
  const whole = nar(directory(['a', file(randomBytes(300_000))], ['b', file('/home/noamyr/x')]));
  test.each([
    ['cut short', whole.subarray(0, -8), 'malformed-nar'],
    ['followed by something', Buffer.concat([whole, Buffer.alloc(8)]), 'malformed-nar'],
    ['something else', Buffer.from('lrzip, perhaps'), 'malformed-nar'],
    ['nothing', Buffer.alloc(0), 'malformed-nar'],
    ['packed and cut short', zstdCompressSync(whole).subarray(0, -9), 'truncated'],
    ['packed and damaged', flipped(gzipSync(whole)), 'corrupt'],
  ])('%s', async (_what, bytes, reason) => {
    const { narHash, facts, listing } = await inspected(bytes);
    expect([narHash, listing]).toEqual([null, null]);
    expect(facts.gaps.map((gap) => gap.reason)).toContain(reason);
  });

  test('a bomb, as soon as it is seen to be one', async () => {
    const bomb = gzipSync(nar(file(Buffer.alloc(200 * 1024 * 1024))));
    const { narHash, facts } = await inspected(bomb);
    expect([narHash, facts.gaps.map(({ reason }) => reason)]).toEqual([
      null,
      expect.arrayContaining(['limit-ratio']),
    ]);
    expect(facts.stats.expandedBytes).toBeLessThan(100 * 1024 * 1024);
  });
});

test('a file that is no NAR is searched under its name', async () => {
  const facts = await inspections.inspector.file(
    inspections.file(gzipSync('built in /home/noamyr/src')),
    'log/x.drv.gz',
    UNKNOWN,
  );
  expect(facts.findings.map(({ rule, location }) => [rule, location.entry])).toEqual([['known-home', '']]);
  expect([facts.target, facts.narHash]).toEqual(['log/x.drv.gz', null]);
});

test('each output of an export stream has its facts and its size', async () => {
  const nars = ['one', 'two'].map((text) => nar(file(`/home/noamyr/${text}`)));
  const stream = Buffer.concat([
    ...nars.map((bytes, index) => exported(bytes, `/nix/store/${[HASH, OTHER][index]}-x`)),
    Buffer.alloc(8),
  ]);
  const outputs = await inspections.inspector.stream(inspections.file(stream), UNKNOWN.homes, null);
  expect(outputs).toMatchObject([
    { storePath: `/nix/store/${HASH}-x`, narSize: nars[0]?.length, findings: [{ rule: 'known-home' }] },
    { storePath: `/nix/store/${OTHER}-x`, narSize: nars[1]?.length, findings: [{ rule: 'known-home' }] },
  ]);
});

describe('what is kept of a NAR', () => {
  const bytes = nar(directory(['a', file(randomBytes(3_000_000))]));

  test('waits by its size, so that a large one does not hold the thread for what is small', async () => {
    const run = vi.spyOn(InspectionScheduler.prototype, 'run');
    const { inspector, folder } = inspections;
    await inspector.repack(inspections.file(bytes), 'nar/x.nar', join(folder, 'sized'), 1 << 30);
    expect(run).toHaveBeenCalledWith(expect.objectContaining({ kind: 'repack' }), null, bytes.length);
    run.mockRestore();
  });

  test('is the same NAR, packed by zstd', async () => {
    const target = join(inspections.folder, 'kept');
    const { narHash } = await inspected(bytes);
    const kept = await inspections.inspector.repack(
      inspections.file(gzipSync(bytes)),
      'nar/x.nar',
      target,
      1 << 30,
    );
    expect(zstdDecompressSync(readFileSync(target)).equals(bytes)).toBe(true);
    expect(kept).toEqual({
      compression: 'gzip',
      narHash,
      narSize: bytes.length,
      fileSize: readFileSync(target).length,
    });
  });

  test('is no longer than it may be, and no bomb', async () => {
    const { inspector } = inspections;
    const at = (name: string) => join(inspections.folder, name);
    const full = inspector.repack(inspections.file(bytes), 'nar/x.nar', at('full'), 1_000_000);
    await expect(full).rejects.toMatchObject({ code: 'QUARANTINE_FULL' });
    const bomb = inspections.file(gzipSync(Buffer.alloc(200 * 1024 * 1024)));
    const kept = inspector.repack(bomb, 'nar/x.nar', at('bomb'), 1 << 30);
    await expect(kept).rejects.toMatchObject({ code: 'QUARANTINE_NOT_KEPT' });
  });
});

test('what is searched for is told, and has a fingerprint', async () => {
  const facts = { ...BUILT_IN_POLICY.facts, homes: ['/home/alice'], aliases: ['/data/store'] };
  await using others = new Inspections({ policy: { ...BUILT_IN_POLICY, facts } });
  const { inspector } = others;
  expect(await inspector.known(['/home/noamyr'])).toMatchObject({
    homes: ['/home/alice', '/home/noamyr'],
    aliases: expect.arrayContaining(['/data/store']) as unknown,
  });
  const rules = await inspector.rules(['/home/noamyr', '/home/bob']);
  expect(await inspector.rules(['/home/bob', '/home/noamyr', '/home/bob'])).toBe(rules);
  expect(await inspector.rules(['/home/bob'])).not.toBe(rules);
});

function flipped(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes);
  const at = copy.length - 6;
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
}

test('of a narinfo that leaks everywhere no more is kept, either', async () => {
  const text = Array.from({ length: 4800 }, (_, index) => `X: /home/noamyr${index % 300}/x\n`).join('');
  const named = inspections.file(Buffer.from(text));
  const facts = await inspections.inspector.file(named, `${HASH}.narinfo`, UNKNOWN);
  expect(facts.findings).toHaveLength(4000);
  expect(facts.gaps).toMatchObject([{ reason: 'limit-entries', detail: '800 more facts were not kept' }]);
});

test('of an upload that leaks everywhere no more is kept than can be judged between two requests', async () => {
  const entries = Array.from({ length: 6000 }, (_, index) => {
    return [String(index).padStart(6, '0'), file('/home/noamyr/src/x.c')] as const;
  });
  const { facts } = await inspected(nar(directory(...entries)));
  expect(facts.findings).toHaveLength(4000);
  expect(facts.gaps).toMatchObject([{ reason: 'limit-entries', detail: '2000 more facts were not kept' }]);
});

describe('what a packed NAR carries beside the NAR is searched, too', () => {
  const HOME = Buffer.from('/home/noamyr/src/x.c');
  const length = (bytes: Buffer): Buffer => Buffer.from(Uint32Array.of(bytes.length).buffer);
  const clean = nar(file('clean'.repeat(100)));
  const gzip = gzipSync(clean);
  const zstd = zstdCompressSync(clean);
  const skippable = Buffer.concat([Buffer.from('502a4d18', 'hex'), length(HOME), HOME]);
  const gzipHead = (flags: number): Buffer => Buffer.from([0x1f, 0x8b, 8, flags, 0, 0, 0, 0, 0, 3]);
  const text = Buffer.concat([HOME, Buffer.of(0)]);
  // a block of metadata of so many bytes, then one that is not packed, then the end (RFC 7932, 9.2)
  const brotli = Buffer.concat([
    Buffer.from(Uint32Array.of((3 << 2) | (1 << 5) | ((HOME.length - 1) << 7)).buffer.slice(0, 2)),
    HOME,
    Buffer.from(Uint32Array.of(((clean.length - 1) << 3) | (1 << 19)).buffer.slice(0, 3)),
    clean,
    Buffer.of(3),
  ]);
  test.each([
    ['the name of a file in gzip', Buffer.concat([gzipHead(8), text, gzip.subarray(10)]), ''],
    ['a comment in gzip', Buffer.concat([gzipHead(16), text, gzip.subarray(10)]), ''],
    ['a skippable frame before those of zstd', Buffer.concat([skippable, zstd]), '.zst'],
    ['a skippable frame behind those of zstd', Buffer.concat([zstd, skippable]), '.zst'],
    ['metadata of brotli', brotli, '.br'],
  ])('%s', async (_what, bytes, ending) => {
    const { facts, narHash, narSize } = await inspected(bytes, `nar/x.nar${ending}`);
    expect(narHash).not.toBeNull();
    expect(narSize).toBe(clean.length);
    expect(facts).toMatchObject({ gaps: [], findings: [{ rule: 'known-home', home: '/home/noamyr' }] });
  });

  test('of what came in pieces larger than are read at once', async () => {
    const large = gzipSync(nar(file(randomBytes(3_000_000))));
    const bytes = Buffer.concat([large, gzipHead(8), text, gzipSync('').subarray(10)]);
    const { facts } = await inspected(bytes);
    expect(facts).toMatchObject({ gaps: [], findings: [{ location: { offset: large.length + 10 } }] });
  });
});
