import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { elfSections } from '../../../src/formats/elf/compressed.ts';
import { readElf } from '../../../src/formats/elf/elf.ts';
import { needs } from '../../support/programs.ts';
import { wholeReader } from '../../support/rangeReaders.ts';

const HOME = '/home/noamyr/deep/in/it';
let folder = '';

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'packed-'));
  // one function a file: sections that are too short to gain are left unpacked
  const functions = Array.from(
    { length: 40 },
    (_, k) => `# 1 "${HOME}/${k}.c"\nint function_${k}(void) { return ${k}; }`,
  );
  const rest = 'const char *path = PATH;\nint main(void) { return path[0]; }\n';
  writeFileSync(
    join(folder, 'a.c'),
    `#ifndef PATH\n#define PATH "${HOME}/a.c"\n#endif\n${functions.join('\n')}\n${rest}`,
  );
});

afterAll(() => {
  rmSync(folder, { recursive: true });
});

function run(program: string, ...args: string[]): void {
  execFileSync(program, args, { cwd: folder, stdio: 'ignore' });
}

/** Whether a compiler or tool takes these arguments. */
function takes(program: string, ...args: string[]): boolean {
  try {
    run(program, ...args);
    return true;
  } catch {
    return false;
  }
}

/** What a program added to the folder. */
function readdirAfter(program: string, ...args: string[]): string[] {
  const before = new Set(readdirSync(folder));
  run(program, ...args);
  return readdirSync(folder).filter((name) => !before.has(name));
}

interface Opened {
  readonly raw: Buffer;
  /** Names of sections that hold the home once they are unpacked. */
  readonly leaking: string[];
  readonly faults: unknown[];
}

async function open(name: string): Promise<Opened> {
  const raw = readFileSync(join(folder, name));
  const reader = wholeReader(raw);
  const read = readElf(reader);
  const leaking: string[] = [];
  const faults: unknown[] = [...(read?.faults ?? ['no ELF'])];
  for await (const item of elfSections(reader, read?.sections ?? [])) {
    if (item.item === 'fault') {
      faults.push(item);
      continue;
    }
    const chunks: Uint8Array[] = [];
    for await (const chunk of item.contents ?? []) chunks.push(chunk.slice());
    if (Buffer.concat(chunks).includes(HOME)) leaking.push(item.name);
  }
  return { raw, leaking, faults };
}

/** Debug information, and no home elsewhere. */
const DEBUG = ['-g', 'a.c', '-DPATH="none"', '-o'];

describe.skipIf(!needs('gcc', 'objcopy'))('sections that binutils and GCC packed', () => {
  it('-gz=zlib, in an object and in a program', async () => {
    run('gcc', '-gz=zlib', ...DEBUG, 'zlib.o', '-c');
    run('gcc', '-gz=zlib', ...DEBUG, 'zlib');
    for (const name of ['zlib.o', 'zlib']) {
      const { raw, leaking, faults } = await open(name);
      expect(raw.includes(HOME), name).toBe(false);
      expect(leaking, name).toContain('.debug_line_str');
      expect(faults).toEqual([]);
    }
  });

  it('-gz=zstd, where this compiler knows it', async (context) => {
    if (!takes('gcc', '-gz=zstd', ...DEBUG, 'zstd.o', '-c')) context.skip();
    const { leaking, faults } = await open('zstd.o');
    expect(leaking).toContain('.debug_line_str');
    expect(faults).toEqual([]);
  });

  it('objcopy --compress-debug-sections=zlib-gnu', async () => {
    run('gcc', '-gdwarf-4', ...DEBUG, 'plain.o', '-c');
    run('objcopy', '--compress-debug-sections=zlib-gnu', 'plain.o', 'gnu.o');
    const { leaking, faults } = await open('gnu.o');
    expect(leaking.some((name) => name.startsWith('.zdebug_'))).toBe(true);
    expect(faults).toEqual([]);
  });

  it.each([
    ['slim', ['-flto']],
    ['fat', ['-flto', '-ffat-lto-objects']],
    ['slim in zlib or zstd of another level', ['-flto', '-flto-compression-level=19']],
    ['fat with debug information', ['-g', '-flto', '-ffat-lto-objects']],
  ])('intermediate code, %s', async (_, flags) => {
    run('gcc', ...flags, '-c', 'a.c', '-o', 'lto.o');
    const { leaking, faults } = await open('lto.o');
    expect(leaking.some((name) => name.startsWith('.gnu.lto_'))).toBe(true);
    expect(faults).toEqual([]);
  });

  it('objects that were linked into one keep what they had', async () => {
    run('gcc', '-flto', '-c', 'a.c', '-o', 'one.o');
    run('gcc', '-flto', '-flinker-output=rel', '-r', 'one.o', '-o', 'joined.o');
    const { leaking, faults } = await open('joined.o');
    expect(leaking.length).toBeGreaterThan(0);
    expect(faults).toEqual([]);
  });
});

describe.skipIf(!needs('rustc', 'ar'))('a Rust library', () => {
  it('has the path of its source in its bitcode', async () => {
    const source = '#[inline(never)]\npub fn first(v: &[u8]) -> u8 { v[0] }\n';
    writeFileSync(join(folder, 'r.rs'), source);
    run('rustc', '-O', '--crate-type', 'rlib', `--remap-path-prefix=${folder}=${HOME}`, join(folder, 'r.rs'));
    const [object = ''] = readdirAfter('ar', 'x', 'libr.rlib').filter((name) => name.endsWith('.o'));
    const { leaking, faults } = await open(object);
    expect(leaking).toEqual(['.llvmbc']);
    expect(faults).toEqual([]);
  });
});

describe.skipIf(!needs('gcc', 'objcopy', 'xz'))('symbols packed by xz', () => {
  it('are an ELF file again', async () => {
    run('gcc', '-g', 'a.c', '-o', 'inner');
    run('xz', '-k', 'inner');
    run('gcc', 'a.c', '-o', 'outer');
    run('objcopy', '--add-section', '.gnu_debugdata=inner.xz', 'outer', 'mini');
    const { leaking, faults } = await open('mini');
    expect(leaking).toEqual(['.gnu_debugdata']);
    expect(faults).toEqual([]);
  });
});
