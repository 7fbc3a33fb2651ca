import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Budget, CONTAINER_LIMITS } from '../../src/inspect/containers/budget.ts';
import { Window, windowsBytes } from '../../src/inspect/window.ts';
import { createMatcher } from '../../src/kernel/create.ts';
import { LIMITS } from '../../src/model/limits.ts';
import { FactSink, type PartialFacts } from '../../src/sources/factSink.ts';
import { FileContents } from '../../src/sources/fileContents.ts';
import { prepareInspection } from '../../src/sources/inspection.ts';
import { InlineHasher } from '../../src/sources/narHasher.ts';
import type { StreamOutput } from '../../src/sources/narStream.ts';
import { TreeScanner, type TreePiece } from '../../src/sources/tree.ts';
import { scanTreeNar } from '../../src/sources/treeTarget.ts';
import { ROOT } from '../support/narScan.ts';
import { needs } from '../support/programs.ts';
import { HOME } from '../support/treeScan.ts';

let folder: string;

beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), 'nar-scan-tree-nar-'))));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const DEPTH = 4;
const CONTEXT = { homes: [HOME], aliases: [], storeDir: '/nix/store', hashParts: [] };

const matcher = createMatcher({ size: windowsBytes(DEPTH) });
const window = new Window(matcher);
const inspection = prepareInspection(matcher, CONTEXT, { maxDepth: DEPTH });

/** As the NAR of the tree; `passed` is called after each chunk. */
async function asNar(path: string, passed: () => boolean = () => false): Promise<StreamOutput | null> {
  return await scanTreeNar(path, window, inspection, {
    hasher: new InlineHasher(),
    passed,
    budget: new Budget(CONTAINER_LIMITS),
  });
}

/** File by file, containers opened. */
async function asTree(path: string): Promise<PartialFacts> {
  const sink = new FactSink();
  const scanner = new TreeScanner(new FileContents(window));
  const budget = new Budget(CONTAINER_LIMITS);
  const pieces: TreePiece[] = [{ kind: 'root', path }];
  for (let piece = pieces.pop(); piece !== undefined; piece = pieces.pop()) {
    scanner.scan(piece, inspection, sink, (more) => pieces.push(more));
    if (scanner.waits) await scanner.open(budget);
  }
  return sink.sorted();
}

describe('a tree that is scanned as its NAR', () => {
  it.each(['fixtures/leaks', 'fixtures/malformed', 'fixtures/ok', 'src', 'bin'])(
    'gives the facts that its files give (%s)',
    async (name) => {
      const path = join(ROOT, name);
      const output = await asNar(path);
      expect(output?.facts).toEqual(await asTree(path));
      if (name === 'fixtures/leaks') expect(output?.facts.findings.length).toBeGreaterThan(50);
    },
  );

  it('gives the facts of files of any length, packed and not', async () => {
    const path = join(folder, 'lengths');
    mkdirSync(path);
    const leak = `folder=${HOME}/x\n`;
    const around = [0, 1, LIMITS.chunkBytes - 200, LIMITS.chunkBytes, 2 * LIMITS.chunkBytes + 7, 3_000_000];
    for (const length of around) {
      const noise = Buffer.alloc(length, 'no leak at all ');
      const text = Buffer.concat([noise, Buffer.from(leak), noise]);
      writeFileSync(join(path, `plain-${length}`), text);
      writeFileSync(join(path, `packed-${length}.gz`), gzipSync(text, { level: 0 }));
    }
    const { facts } = (await asNar(path)) ?? {};
    expect(facts).toEqual(await asTree(path));
    // what is packed without being shortened is found as it lies there, too
    expect(facts?.findings).toHaveLength(3 * around.length);
  });

  it.each([
    ['hash-page.br', Buffer.from('iwWAZm9sZGVyPS9ob21lL25vYW15ci94Cgo=', 'base64')],
    ['hash-x.pc', Buffer.from(`prefix=${HOME}/x\n`)],
    ['hash-x', Buffer.from(`#!${HOME}/bin/sh\n`)],
    ['hash-empty', Buffer.alloc(0)],
  ])('that is one file is told by its name as well (%s)', async (name, content) => {
    const path = join(folder, name);
    writeFileSync(path, content);
    expect((await asNar(path))?.facts).toEqual(await asTree(path));
  });

  it('that is a link gives what the link gives', async () => {
    const path = join(folder, 'link');
    symlinkSync(`${HOME}/x`, path);
    const { facts } = (await asNar(path)) ?? {};
    expect(facts).toEqual(await asTree(path));
    expect(facts?.findings).toHaveLength(1);
  });

  it.skipIf(!needs('nix-store'))('has the hash that Nix computes', async () => {
    const path = join(folder, 'hashed');
    cpSync(join(ROOT, 'fixtures'), path, { recursive: true });
    const sum = execFileSync('sh', ['-c', `nix-store --dump "$1" | sha256sum`, 'sh', path]).toString();
    const { parseNarHash } = await import('../../src/nix/narHash.ts');
    expect((await asNar(path))?.narHash).toBe(parseNarHash(`sha256:${sum.slice(0, 64)}`));
  });

  it('has none where it has no NAR: a fifo, a depth that Nix does not read, something that is gone', async () => {
    const withFifo = join(folder, 'fifo');
    mkdirSync(withFifo);
    spawnSync('mkfifo', [join(withFifo, 'x')]);
    const deep = join(folder, 'deep');
    mkdirSync(join(deep, ...Array.from({ length: LIMITS.narDepth + 1 }, () => 'd')), { recursive: true });
    for (const path of [withFifo, deep, join(folder, 'missing')]) expect(await asNar(path)).toBeNull();
    // and the next one is as if nothing had been
    const next = join(folder, 'hash-x.pc');
    expect((await asNar(next))?.facts).toEqual(await asTree(next));
  });

  it('has none where a file grows while it is read', async () => {
    const path = join(folder, 'growing');
    mkdirSync(path);
    const file = join(path, 'file');
    writeFileSync(file, Buffer.alloc(2 * LIMITS.chunkBytes));
    const output = await asNar(path, () => {
      writeFileSync(file, 'more', { flag: 'a' });
      return false;
    });
    expect(output).toBeNull();
  });

  it('that is ended is no clean one', async () => {
    const { facts, narHash } = (await asNar(join(ROOT, 'fixtures'), () => true)) ?? {};
    expect(narHash).toBeNull();
    expect(facts?.gaps.map(({ reason }) => reason)).toContain('limit-time');
  });
});
