import { resolve } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { OutputFacts } from '../../src/model/facts.ts';
import type { ReportError } from '../../src/model/report.ts';
import type { PoolWorker } from '../../src/scan/pool.ts';
import { scanTargets, type ScanRequest } from '../../src/scan/scan.ts';
import { startWorkers } from '../../src/scan/thread.ts';

const PROTOCOL = resolve(import.meta.dirname, '../../src/scan/protocol.ts');

export interface EngineRun {
  readonly outputs: readonly OutputFacts[];
  readonly errors: readonly ReportError[];
}

/** How a run is disturbed. */
export interface Disturbance {
  /** Threads instead of healthy ones. */
  readonly workers?: readonly PoolWorker[];
  readonly jobs?: number;
  readonly signal?: AbortSignal;
  /** Called for each output, before the engine may go on. */
  readonly output?: (facts: OutputFacts) => void | Promise<void>;
}

/** Runs the engine in this process, from source. */
export async function runEngine(
  request: Partial<ScanRequest> & Pick<ScanRequest, 'targets'>,
  disturbance: Disturbance = {},
): Promise<EngineRun> {
  const outputs: OutputFacts[] = [];
  const errors: ReportError[] = [];
  const workers = disturbance.workers ?? startWorkers(disturbance.jobs ?? 2);
  try {
    await scanTargets(
      {
        storeDir: '/nix/store',
        homes: ['/home/noamyr'],
        hostHomes: false,
        aliases: [],
        limits: {},
        hashNars: true,
        exportStream: false,
        ...request,
      },
      workers,
      {
        output: async (facts) => {
          await disturbance.output?.(facts);
          outputs.push(facts);
        },
        error: (error) => void errors.push(error),
        progress: () => undefined,
      },
      disturbance.signal ?? new AbortController().signal,
    );
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
  return { outputs, errors };
}

/** A thread that takes its orders and runs `deed` at the first assignment, which it never answers. */
export function workerThat(deed: string, maxOldGenerationSizeMb = 512): Worker {
  const program = `
    const { parentPort } = require('node:worker_threads');
    const { Control } = require(${JSON.stringify(PROTOCOL)});
    parentPort.once('message', ({ control }) => new Control(control).arrive());
    parentPort.once('message', () => parentPort.on('message', (assignment) => { ${deed} }));
  `;
  return new Worker(program, { eval: true, stderr: true, resourceLimits: { maxOldGenerationSizeMb } });
}

/** Facts as they must be however a run went: without the time it took. */
export const timeless = ({ outputs, errors }: EngineRun): unknown => ({
  errors,
  outputs: outputs.map((facts) => ({ ...facts, stats: { ...facts.stats, milliseconds: 0 } })),
});
