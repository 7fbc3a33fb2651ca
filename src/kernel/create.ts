import { NarScanError } from '../model/errors.ts';
import type { EngineName, Matcher } from './matcher.ts';
import { compileKernel, instantiateKernel } from './module.ts';
import { createScalarMatcher } from './scalar.ts';
import { SimdMatcher } from './simd.ts';

/** A compiled kernel; WebAssembly modules pass through `workerData` and `postMessage`. */
export interface CompiledEngine {
  readonly engine: EngineName;
  /** Null for the scalar engine. */
  readonly module: WebAssembly.Module | null;
}

export interface MatcherOptions {
  /** Bytes of the caller's region. */
  readonly size: number;
  /** What {@link compileEngine} returned, here or in another thread; else it is compiled anew. */
  readonly compiled?: CompiledEngine;
  /** Forces an engine. */
  readonly engine?: EngineName;
}

/**
 * Compiles the fastest engine of this machine once, to be shared by all threads. Which one it is
 * stands in the result.
 *
 * @throws NarScanError KERNEL_UNAVAILABLE when the engine asked for cannot run here
 */
export function compileEngine(engine?: EngineName): CompiledEngine {
  if (engine === 'scalar') return { engine, module: null };
  for (const candidate of engine === undefined ? (['relaxed-simd', 'simd'] as const) : [engine]) {
    const module = compileIfItRuns(candidate);
    if (module !== null) return { engine: candidate, module };
  }
  if (engine === undefined) return { engine: 'scalar', module: null };
  throw new NarScanError('KERNEL_UNAVAILABLE', `the ${engine} engine cannot run here`);
}

/** @throws NarScanError KERNEL_UNAVAILABLE when the engine asked for cannot run here or is not the compiled one */
export function createMatcher({ size, engine, compiled = compileEngine(engine) }: MatcherOptions): Matcher {
  if (engine !== undefined && engine !== compiled.engine) {
    throw new NarScanError('KERNEL_UNAVAILABLE', `${engine} was asked for, ${compiled.engine} was compiled`);
  }
  if (compiled.engine === 'scalar' || compiled.module === null) return createScalarMatcher(size);
  return new SimdMatcher(compiled.engine, instantiateKernel(compiled.module, size), size);
}

function compileIfItRuns(engine: 'relaxed-simd' | 'simd'): WebAssembly.Module | null {
  let module: WebAssembly.Module;
  try {
    module = compileKernel(engine);
  } catch (error) {
    if (error instanceof WebAssembly.CompileError) return null;
    throw error;
  }
  if (engine === 'simd') return module;
  return instantiateKernel(module, 0).exports.swizzlesByNibble() === 1 ? module : null;
}
