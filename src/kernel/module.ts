import { WASM } from './wasm.generated.ts';

const PAGE = 65_536;
/** What is touched ahead lies this far behind the last address that is decided about, at most. */
const SLACK = 1024;

/** Addresses in the kernel's memory, exported by the module: see assembly/layout.ts. */
const LAYOUT = [
  'ALPHABET',
  'CLASSES',
  'ENTRIES',
  'ENTRY_BYTES',
  'FINGERPRINT_HEADS',
  'FLAGS',
  'HITS',
  'HIT_COUNT',
  'MASKS',
  'NEEDLES',
  'NIBBLE',
  'REGION',
  'RUN_HEADS',
  'SLOTS',
] as const;

type Layout = Readonly<Record<(typeof LAYOUT)[number], number>>;

/** The module's functions: see assembly/. Addresses come back as signed 32-bit numbers. */
export interface KernelExports {
  readonly setDistances: (second: number, third: number) => void;
  readonly setRange: (from: number, to: number, limit: number) => void;
  readonly searchPairs: (at: number, end: number) => number;
  readonly searchTriples: (at: number, end: number) => number;
  readonly searchBuckets: (at: number, end: number) => number;
  readonly searchAnyBuckets: (at: number, end: number) => number;
  readonly searchRuns: (at: number) => number;
  readonly bucketSlot: (bytes: number) => number;
  readonly runSlot: (at: number) => number;
  readonly swizzlesByNibble: () => number;
}

/** One instance with its memory. */
export interface Kernel {
  readonly wasmMemory: WebAssembly.Memory;
  readonly memory: Uint8Array;
  readonly layout: Layout;
  readonly exports: KernelExports;
}

/**
 * Compiles one of the two builds; a compiled module can be handed to worker threads.
 * @throws WebAssembly.CompileError where the engine has not what it takes
 */
export function compileKernel(engine: 'relaxed-simd' | 'simd'): WebAssembly.Module {
  return new WebAssembly.Module(Buffer.from(WASM[engine].base64, 'base64'));
}

/** @param size bytes of the caller's region */
export function instantiateKernel(module: WebAssembly.Module, size: number): Kernel {
  // The region's address is needed to size the memory, and is the same in every build.
  const pages = Math.ceil((WASM.region + size + SLACK) / PAGE);
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  const layout = Object.fromEntries(
    LAYOUT.map((name) => [name, (exports[name] as WebAssembly.Global).value as number]),
  ) as Layout;
  return {
    wasmMemory: memory,
    memory: new Uint8Array(memory.buffer),
    layout,
    exports: exports as unknown as KernelExports,
  };
}
