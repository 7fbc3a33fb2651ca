import { readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compile } from '../../src/kernel/assembly/build.ts';
import { searchedBytes } from '../../src/inspect/magics.ts';
import { PLACES } from '../../src/inspect/places.generated.ts';
import { compileEngine } from '../../src/kernel/create.ts';
import { instantiateKernel } from '../../src/kernel/module.ts';
import { SimdMatcher } from '../../src/kernel/simd.ts';
import { compileNeedles } from '../../src/needles/compile.ts';

// The kernel alone, one thread, beside a plain read of the same memory, the sum of its 64-bit words, and what all
// encodings cost: the whole set beside the plain one.

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const MiB = 1024 * 1024;
/** Far more than the caches hold. */
const BUFFER = 256 * MiB;
/** As the scanner searches: a chunk at a time. */
const CHUNK = 512 * 1024;
/** Stays in the second-level cache, as a chunk does that was just read from a file. */
const CACHED = 256 * 1024;
const CACHED_ROUNDS = 128;
const PAIRS = 7;
const TEXT_BYTES = 32 * MiB;
const TEXT_ENDINGS = new Set(['.ts', '.js', '.mjs', '.md', '.json', '.txt']);
const HASH_PARTS = 100;
const EVERYTHING = 'everything, 1 hash part';

const FIXED = [
  '/home/',
  '/Users/',
  '/root/',
  '\\Users\\',
  '/store/',
  '/nix/var/nix/builds/',
  '/tmp/nix-build-',
  '/private/tmp/nix-build-',
  '/data/people/zoe',
];

/** One measurement; speeds are medians in bytes a second. */
export interface KernelFigure {
  readonly engine: string;
  readonly needles: string;
  readonly data: 'binary' | 'text';
  readonly where: 'memory' | 'cache';
  readonly peer: 'sum' | 'fixed';
  readonly search: number;
  readonly peerSpeed: number;
  /** Speed of the search over the speed of its peer. */
  readonly ratio: number;
}

/** Measures the fastest SIMD engine of this machine. Takes some seconds and 300 MB. */
export async function benchKernel(): Promise<KernelFigure[]> {
  const { engine, module } = compileEngine();
  if (module === null || engine === 'scalar') throw new Error('this machine has no SIMD engine');
  const kernel = instantiateKernel(module, BUFFER);
  const matcher = new SimdMatcher(engine, kernel, BUFFER);
  const binary = await compile(join(ROOT, 'src/kernel/assembly/sum.ts'), ['simd']);
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(binary), {
    env: { memory: kernel.wasmMemory },
  });
  const sum = exports['sum'] as (from: number, to: number) => bigint;

  const sets = [
    ['fixed', FIXED],
    [`fixed, ${HASH_PARTS} hash parts`, [...FIXED, ...hashParts(HASH_PARTS)]],
    [EVERYTHING, everything()],
  ] as const;
  const figures: KernelFigure[] = [];
  for (const [data, bytes] of [
    ['binary', readFileSync(process.execPath)],
    ['text', someText()],
  ] as const) {
    for (let at = 0; at < BUFFER; at += bytes.length) {
      matcher.memory.set(bytes.subarray(0, BUFFER - at), matcher.base + at);
    }
    const load = (texts: readonly string[]): void => {
      matcher.load(
        texts.map((text) => Buffer.from(text, 'latin1')),
        PLACES,
      );
    };
    for (const where of ['memory', 'cache'] as const) {
      const total = where === 'memory' ? BUFFER : CACHED * CACHED_ROUNDS;
      const chunk = where === 'memory' ? CHUNK : CACHED;
      const over = (pass: (from: number, to: number) => unknown) => (): void => {
        for (let at = 0; at < total; at += chunk) {
          const from = matcher.base + (where === 'memory' ? at : 0);
          pass(from, from + chunk);
        }
      };
      const search = over((from, to) => matcher.search(from, to, to, () => undefined));
      const measure = (needles: string, texts: readonly string[], peer: KernelFigure['peer']): void => {
        const [seconds, peerSeconds] = alternate(
          { prepare: () => load(texts), pass: search },
          peer === 'sum'
            ? { prepare: () => undefined, pass: over((from, to) => sum(from, to)) }
            : { prepare: () => load(FIXED), pass: search },
        );
        const speeds = {
          search: total / seconds,
          peerSpeed: total / peerSeconds,
          ratio: peerSeconds / seconds,
        };
        figures.push({ engine, needles, data, where, peer, ...speeds });
      };
      for (const [needles, texts] of sets) measure(needles, texts, 'sum');
      measure(EVERYTHING, everything(), 'fixed');
    }
  }
  return figures;
}

interface Pass {
  readonly prepare: () => void;
  readonly pass: () => void;
}

/** Median seconds of two passes that take turns, after one of each that is not counted. */
function alternate(a: Pass, b: Pass): [number, number] {
  const seconds: [number[], number[]] = [[], []];
  for (let pair = 0; pair <= PAIRS; pair++) {
    for (const [which, { prepare, pass }] of [a, b].entries()) {
      prepare();
      const start = performance.now();
      pass();
      if (pair > 0) seconds[which]?.push((performance.now() - start) / 1000);
    }
  }
  const [first, second] = seconds.map((list) => list.sort((x, y) => x - y)[list.length >> 1]);
  return [first as number, second as number];
}

/** Source text, declarations, documentation: what lies in node_modules. */
function someText(): Buffer {
  const parts: Buffer[] = [];
  let size = 0;
  const entries = readdirSync(join(ROOT, 'node_modules'), { recursive: true, withFileTypes: true });
  for (const entry of entries) {
    if (size >= TEXT_BYTES) break;
    if (!entry.isFile() || !TEXT_ENDINGS.has(extname(entry.name))) continue;
    const part = readFileSync(join(entry.parentPath, entry.name));
    if (part.length > MiB) continue;
    parts.push(part);
    size += part.length;
  }
  return Buffer.concat(parts);
}

/** What a scan of one store path searches for: every encoding, and the magics of containers. */
function everything(): string[] {
  const context = { homes: [], aliases: [], hashParts: hashParts(1), storeDir: '/nix/store' };
  return searchedBytes(compileNeedles(context), true).map((bytes) => Buffer.from(bytes).toString('latin1'));
}

/** Made up, the same in every run. */
function hashParts(count: number): string[] {
  const alphabet = '0123456789abcdfghijklmnpqrsvwxyz';
  let state = 1;
  return Array.from({ length: count }, () => {
    return Array.from({ length: 32 }, () => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return alphabet[state >>> 27];
    }).join('');
  });
}

if (import.meta.main) {
  for (const { engine, needles, data, where, peer, search, peerSpeed, ratio } of await benchKernel()) {
    const speeds = `search ${(search / 1e9).toFixed(1)} GB/s, ${peer} ${(peerSpeed / 1e9).toFixed(1)} GB/s`;
    process.stdout.write(
      `${engine}, ${needles}, ${data} in ${where}: ${speeds}, ratio ${ratio.toFixed(2)}\n`,
    );
  }
}
