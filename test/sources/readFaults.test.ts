import { execFileSync } from 'node:child_process';
import { linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import type * as fs from 'node:fs';
import { gzipSync } from 'node:zlib';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Budget, CONTAINER_LIMITS } from '../../src/inspect/containers/budget.ts';
import { createMatcher } from '../../src/kernel/create.ts';
import { verdictOfOutput } from '../../src/policy/verdict.ts';
import { FactSink, type PartialFacts } from '../../src/sources/factSink.ts';
import { FileContents } from '../../src/sources/fileContents.ts';
import { type Inspection, prepareInspection } from '../../src/sources/inspection.ts';
import { scanNarFile } from '../../src/sources/narTarget.ts';
import { type TreePiece, TreeScanner } from '../../src/sources/tree.ts';
import { Window, windowsBytes } from '../../src/inspect/window.ts';
import { needs } from '../support/programs.ts';
import { archive, entry } from '../formats/tar/writer.ts';
import { narOf } from '../support/realNix.ts';
import { writeZip } from '../support/zipWriter.ts';

/** What the file system does: fails at one call, or gives less than it is asked for. */
const disk = vi.hoisted(() => ({
  calls: 0,
  failAt: Number.POSITIVE_INFINITY,
  most: Number.POSITIVE_INFINITY,
}));

vi.mock('node:fs', async (importOriginal) => {
  const real = await importOriginal<typeof fs>();
  const faulty = <Arguments extends readonly unknown[], Result>(
    syscall: string,
    act: (...args: Arguments) => Result,
  ): ((...args: Arguments) => Result) => {
    return (...args) => {
      disk.calls++;
      if (disk.calls === disk.failAt) {
        throw Object.assign(new Error(`EIO, ${syscall}`), { code: 'EIO', syscall });
      }
      return act(...args);
    };
  };
  const readSome = (fd: number, into: Uint8Array, at: number, length: number, from: number | null): number =>
    real.readSync(fd, into, at, Math.min(length, disk.most), from);
  return {
    ...real,
    openSync: faulty('open', real.openSync),
    fstatSync: faulty('fstat', real.fstatSync),
    lstatSync: faulty('lstat', real.lstatSync),
    readSync: faulty('read', readSome),
    readdirSync: faulty('scandir', real.readdirSync),
    readlinkSync: faulty('readlink', real.readlinkSync),
    writeSync: faulty('write', real.writeSync),
    mkdtempSync: faulty('mkdtemp', real.mkdtempSync),
  };
});

const HOME = '/home/noamyr';
const DEPTH = 4;
let folder: string;
let window: Window;
let inspection: Inspection;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'nar-scan-faults-'));
  const tree = join(folder, 'tree');
  mkdirSync(join(tree, 'bin'), { recursive: true });
  writeFileSync(join(tree, 'bin/tool'), '#!/bin/sh\necho hello\n');
  writeFileSync(join(tree, 'empty'), '');
  writeFileSync(join(tree, 'large'), Buffer.alloc(1_700_000, 'text without anything in it\n'));
  execFileSync('cp', ['/bin/true', join(tree, 'bin/true')]);
  // No compressor makes this small: its NAR is read in many pieces, however it is compressed.
  writeFileSync(join(tree, 'noise'), noise(1_300_000));
  linkSync(join(tree, 'bin/tool'), join(tree, 'twin'));
  symlinkSync('bin/tool', join(tree, 'link'));
  // Containers, small and longer than a window, by tables and in order.
  const text = 'nothing of interest\n'.repeat(200);
  writeFileSync(join(tree, 'small.gz'), gzipSync(text));
  const zip = writeZip([
    { name: 'a.gz', content: gzipSync(text) },
    { name: 'noise', content: noise(600_000), method: 0 },
  ]);
  writeFileSync(join(tree, 'long.zip'), zip);
  writeFileSync(join(tree, 'long.tar.gz'), gzipSync(archive(entry({ name: 'long.zip' }, zip)), { level: 1 }));
  const matcher = createMatcher({ size: windowsBytes(DEPTH) });
  window = new Window(matcher);
  const context = { homes: [HOME], aliases: [], storeDir: '/nix/store', hashParts: [] };
  inspection = prepareInspection(matcher, context, { maxDepth: DEPTH });
});

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** Bytes without any order, the same each time, and none that a path is made of. */
function noise(length: number): Buffer {
  const bytes = Buffer.alloc(length);
  let state = 1;
  for (let index = 0; index < length; index++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[index] = 0x80 | (state >>> 25);
  }
  return bytes;
}

async function scanTree(): Promise<PartialFacts> {
  const sink = new FactSink();
  const scanner = new TreeScanner(new FileContents(window));
  const pieces: TreePiece[] = [{ kind: 'root', path: join(folder, 'tree') }];
  for (let piece = pieces.pop(); piece !== undefined; piece = pieces.pop()) {
    scanner.scan(piece, inspection, sink, (more) => pieces.push(more));
    await scanner.open(new Budget(CONTAINER_LIMITS));
  }
  return sink.sorted();
}

/** A scan of the NAR of the tree, packed by the real Nix and compressed by a program. */
function scanNar(ending: string, program: string | null): () => Promise<PartialFacts> {
  return async () => {
    const file = join(folder, `tree.nar${ending}`);
    const options = {
      exportStream: false,
      hasher: () => null,
      passed: () => false,
      budget: new Budget(CONTAINER_LIMITS),
    };
    if (!packed.has(file)) pack(file, program);
    const [output, ...others] = await scanNarFile(file, window, inspection, options);
    if (output === undefined || others.length > 0) throw new Error('not one output');
    return output.facts;
  };
}

const packed = new Set<string>();

function pack(file: string, program: string | null): void {
  const nar = narOf(join(folder, 'tree'));
  writeFileSync(file, program === null ? nar : execFileSync(program, ['-c'], { input: nar, maxBuffer: 1e9 }));
  packed.add(file);
}

/** Runs a scan while the disk fails at the `failAt`-th call, or gives at most `most` bytes a read. */
async function under(
  scan: () => Promise<PartialFacts>,
  { failAt = Number.POSITIVE_INFINITY, most = Number.POSITIVE_INFINITY },
): Promise<{ facts: PartialFacts | null; calls: number }> {
  Object.assign(disk, { calls: 0, failAt, most });
  try {
    return { facts: await scan(), calls: disk.calls };
  } catch (error) {
    // The system's own error, which the engine reports as an error of the target.
    if ((error as NodeJS.ErrnoException).code !== 'EIO') throw error;
    return { facts: null, calls: disk.calls };
  } finally {
    Object.assign(disk, { failAt: Number.POSITIVE_INFINITY, most: Number.POSITIVE_INFINITY });
  }
}

const SCANS: Readonly<
  Record<string, readonly [scan: () => Promise<PartialFacts>, programs: readonly string[]]>
> = {
  'a tree': [scanTree, []],
  'a NAR': [scanNar('', null), ['nix-store']],
  'an xz NAR': [scanNar('.xz', 'xz'), ['nix-store', 'xz']],
  'a zstd NAR': [scanNar('.zst', 'zstd'), ['nix-store', 'zstd']],
  'a gzip NAR': [scanNar('.gz', 'gzip'), ['nix-store', 'gzip']],
  'a bzip2 NAR': [scanNar('.bz2', 'bzip2'), ['nix-store', 'bzip2']],
  'a brotli NAR': [scanNar('.br', 'brotli'), ['nix-store', 'brotli']],
};

describe('a disk that fails', () => {
  for (const [what, [scan, programs]] of Object.entries(SCANS)) {
    it.skipIf(!needs(...programs))(`at any call while ${what} is read gives a gap, never clean`, async () => {
      await under(scan, {}); // loads what is loaded once
      const { facts, calls } = await under(scan, {});
      expect(facts?.gaps).toEqual([]);
      expect(calls).toBeGreaterThan(5);
      for (let failAt = 1; failAt <= calls; failAt++) {
        const broken = await under(scan, { failAt });
        if (broken.facts === null) continue;
        expect([failAt, verdictOfOutput(broken.facts, { strict: false })]).toEqual([failAt, 'incomplete']);
      }
    });

    it.skipIf(!needs(...programs))(`gives the same facts of ${what} in any number of reads`, async () => {
      const whole = await under(scan, {});
      for (const most of [65_537, 4099]) {
        const { facts } = await under(scan, { most });
        expect([most, facts]).toEqual([most, whole.facts]);
      }
    });
  }
});
