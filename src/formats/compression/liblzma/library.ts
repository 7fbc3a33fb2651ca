import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

/**
 * liblzma 5.8 as the WebAssembly that the npm package node-liblzma 5.1.3 ships, without its
 * loader. The exports have one-letter names; which is which stands in that package's
 * `lib/wasm/liblzma.js`, and `test/formats/compression/liblzma.test.ts` compares.
 */
interface Exports {
  readonly b: Memory;
  /** __wasm_call_ctors */
  readonly c: () => void;
  /** lzma_code */
  readonly f: (stream: number, action: number) => number;
  /** lzma_end */
  readonly g: (stream: number) => void;
  /** lzma_auto_decoder: xz, lzip and lzma-alone, told apart by the first byte */
  readonly o: (stream: number, memoryLimit: bigint, flags: number) => number;
  /** malloc */
  readonly s: (bytes: number) => number;
}

/** WebAssembly.Memory, of which the types of Node know only a part. */
interface Memory {
  readonly buffer: ArrayBuffer;
  /** @throws RangeError beyond the maximum, which is 256 MiB */
  grow(pages: number): number;
}

/** One instance of the library with a memory of its own; memory never shrinks. */
export interface Liblzma {
  readonly memory: Memory;
  readonly malloc: (bytes: number) => number;
  readonly autoDecoder: (stream: number, memoryLimit: bigint, flags: number) => number;
  readonly code: (stream: number, action: number) => number;
  readonly end: (stream: number) => void;
}

const PAGE = 65_536;

/**
 * The library's file. In a built package it lies beside this module (the build copies it there,
 * with its licence); the sources take it from the dev dependency.
 */
function libraryFile(): string {
  return import.meta.url.endsWith('.ts')
    ? createRequire(import.meta.url).resolve('node-liblzma/wasm/liblzma.wasm')
    : fileURLToPath(new URL('liblzma.wasm', import.meta.url));
}

let compiled: WebAssembly.Module | null = null;

/** A fresh instance; the module is compiled once a thread. */
export function instantiateLiblzma(): Liblzma {
  compiled ??= new WebAssembly.Module(readFileSync(libraryFile()));
  // The only import: emscripten_resize_heap(bytes), non-zero if the memory has that size now.
  const resizeHeap = (bytes: number): number => {
    const missing = (bytes >>> 0) - exports.b.buffer.byteLength;
    try {
      exports.b.grow(Math.ceil(Math.max(0, missing) / PAGE));
      return 1;
    } catch {
      return 0; // malloc then gives NULL and liblzma says LZMA_MEM_ERROR
    }
  };
  const exports = new WebAssembly.Instance(compiled, { a: { a: resizeHeap } }).exports as unknown as Exports;
  exports.c();
  return {
    memory: exports.b,
    malloc: exports.s,
    autoDecoder: exports.o,
    code: exports.f,
    end: exports.g,
  };
}
