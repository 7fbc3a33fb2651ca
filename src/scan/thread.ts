import { getCompileCacheDir } from 'node:module';
import { dirname } from 'node:path';
import type { Worker } from 'node:worker_threads';

/** Room for short-lived objects: most of a worker's die young, and collecting them seldom is cheap. */
const YOUNG_GENERATION_MB = 24;

/**
 * Starts a thread on a module of this folder, from source and from the built package alike. Threads
 * share the cache of compiled code that the main thread uses, but only this way.
 *
 * @param module relative name of its source file
 * @param base `import.meta.url` of the caller
 */
export function startThread(module: string, base: string, data: unknown): Worker {
  const file = base.endsWith('.ts') ? module : module.replace(/\.ts$/, '.cjs');
  const cache = getCompileCacheDir();
  const env = cache === undefined ? process.env : { ...process.env, NODE_COMPILE_CACHE: dirname(cache) };
  const resourceLimits = { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB };
  // loaded here, because what is small is scanned without threads
  const threads = process.getBuiltinModule('node:worker_threads');
  const worker = new threads.Worker(new URL(file, base), {
    workerData: data,
    execArgv: [],
    env,
    resourceLimits,
  });
  // whoever works with the thread learns of its end; until then an error must not end the process
  worker.on('error', () => undefined);
  return worker;
}

/**
 * Starts worker threads, which load their modules while the main thread finds out what to scan.
 * They wait for their {@link WorkerData}.
 */
export function startWorkers(count: number): readonly Worker[] {
  return Array.from({ length: count }, () => startThread('./workerThread.ts', import.meta.url, null));
}

/**
 * A scan that opens nothing is over in a second or two, and every thread compiles for itself: what V8's best
 * compiler would win, it costs first (a sixth of all processor time, measured). What decodes runs longer
 * and keeps it. Flags hold for all threads. V8 takes code from the cache only under the flags it was
 * made with: spare it when all modules are loaded, and no longer when code is written to the cache.
 */
export function spareOptimizer(spare: boolean): void {
  process.getBuiltinModule('node:v8').setFlagsFromString(spare ? '--no-opt' : '--opt');
}
