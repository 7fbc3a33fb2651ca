import { stat } from 'node:fs/promises';
import { CONTAINER_LIMITS } from '../../inspect/containers/budget.ts';
import { compileEngine } from '../../kernel/create.ts';
import type { OutputFacts } from '../../model/facts.ts';
import type { NeedleContext } from '../../needles/compile.ts';
import { hashPartOf } from '../../nix/storePath.ts';
import { searchedHashParts } from '../../scan/targets.ts';
import type { PartialFacts } from '../../sources/factSink.ts';
import type { Inspected, InspectionContext } from '../contracts.ts';
import type { Inspector, Repacked } from '../inspector.ts';
import type { Growth } from '../intake/growth.ts';
import type { ServerSettings } from '../settings.ts';
import { KnownContexts } from './knownContexts.ts';
import { InspectionScheduler } from './scheduler.ts';

/** Searches spools in threads of its own. */
export class ThreadedInspector implements Inspector {
  readonly #scheduler: InspectionScheduler;
  readonly #known: KnownContexts;

  constructor(settings: ServerSettings) {
    this.#known = new KnownContexts(settings);
    const { limits, digests } = settings.policy.facts;
    const data = { compiled: compileEngine(), limits: { ...CONTAINER_LIMITS, ...limits }, digests };
    this.#scheduler = new InspectionScheduler(settings.scans, data);
  }

  get load(): Inspector['load'] {
    return this.#scheduler.load;
  }

  async nar(
    file: string,
    name: string,
    context: InspectionContext,
    growth: Growth | null,
    size: number | null,
    { listing = false }: { readonly listing?: boolean } = {},
  ): Promise<Inspected & { readonly listing: string | null }> {
    const started = performance.now();
    const searched = await this.#searched(context);
    const shared = growth?.shared ?? null;
    const job = { kind: 'nar', file, name, listing, growth: shared, ...searched } as const;
    const { facts, ...found } = await this.#scheduler.run(job, growth, size);
    const storePath = context.path?.storePath ?? null;
    return { ...found, facts: outputFacts(name, storePath, found.narHash, facts, started) };
  }

  async file(file: string, name: string, context: InspectionContext): Promise<OutputFacts> {
    const started = performance.now();
    const { context: needles } = await this.#searched(context);
    const facts = await this.#scheduler.run({ kind: 'file', file, name, context: needles } as const, null, 0);
    return outputFacts(name, null, null, facts, started);
  }

  async stream(
    file: string,
    homes: readonly string[],
    growth: Growth | null,
  ): Promise<readonly (OutputFacts & { readonly narSize: number })[]> {
    const started = performance.now();
    const { context } = await this.#searched({ homes, path: null });
    const job = { kind: 'stream', file, growth: growth?.shared ?? null, context } as const;
    const outputs = await this.#scheduler.run(job, growth, null);
    return outputs.map(({ storePath, narHash, narSize, facts }) => ({
      ...outputFacts('-', storePath, narHash, facts, started),
      narSize,
    }));
  }

  async repack(file: string, name: string, target: string, most: number): Promise<Repacked> {
    // what is large must not hold the thread for what is small; who opens a file that is missing says so
    const size = await stat(file).then(
      (found) => found.size,
      () => 0,
    );
    return await this.#scheduler.run({ kind: 'repack', file, name, target, most } as const, null, size);
  }

  async rules(homes: readonly string[]): Promise<string> {
    return await this.#known.rules(homes);
  }

  async known(homes: readonly string[]): Promise<Pick<NeedleContext, 'homes' | 'aliases'>> {
    return await this.#known.of(homes);
  }

  /** Asks this machine again for its homes and the places of its store. @throws NarScanError HOMES_UNREADABLE */
  async askAgain(): Promise<void> {
    await this.#known.askAgain();
  }

  async close(): Promise<void> {
    await this.#scheduler.close();
  }

  /** What is searched for in an output, and by which paths its facts are weighed. */
  async #searched({ homes, path }: InspectionContext) {
    const context = await this.#known.of(homes);
    if (path === null) return { context, paths: [] };
    const paths = [path.storePath, ...path.references];
    const hashParts = searchedHashParts(hashPartOf(path.storePath), paths);
    return { context: { ...context, hashParts }, paths };
  }
}

function outputFacts(
  target: string,
  storePath: string | null,
  narHash: string | null,
  { findings, gaps, stats }: PartialFacts,
  started: number,
): OutputFacts {
  const milliseconds = Math.round(performance.now() - started);
  return { target, storePath, narHash, findings, gaps, stats: { ...stats, milliseconds } };
}
