import { Budget } from '../inspect/containers/budget.ts';
import type { GapReason, OutputFacts } from '../model/facts.ts';
import type { NeedleContext } from '../needles/compile.ts';
import { FactSink } from '../sources/factSink.ts';
import { unpackFacts } from './packedFacts.ts';
import type { FromWorker, QueuedWork } from './protocol.ts';
import type { RunMemory } from './runMemory.ts';
import type { Resolved } from './targets.ts';
import { weighed } from './weighed.ts';
import { unitOf } from './worklist.ts';

/** Gaps after which what was found may depend on chance: which thread came first, how fast it was. */
const BY_CHANCE: ReadonlySet<GapReason> = new Set([
  'limit-size',
  'limit-ratio',
  'limit-entries',
  'limit-memory',
  'limit-time',
  'internal',
]);

/** The scan that is under way. */
interface Open {
  readonly source: Resolved;
  readonly sink: FactSink;
  readonly tell: (facts: OutputFacts | null) => void;
  narHash: string | null;
  pending: number;
  broken: boolean;
}

/** What scans of sources share with the run that they belong to. */
interface Shared {
  /** Holds one for the number of the sources, too. */
  readonly budgets: SharedArrayBuffer;
  readonly context: NeedleContext;
  readonly memory: RunMemory | null;
  readonly add: (queued: QueuedWork) => void;
}

/**
 * Scans sources of builds as outputs are scanned, one after another, on the threads of a run. The
 * pool knows them by one number, as if they were a target.
 */
export class SourceScans {
  readonly #number: number;
  readonly #shared: Shared;
  #open: Open | null = null;
  #ended = false;

  constructor(number: number, shared: Shared) {
    this.#number = number;
    this.#shared = shared;
  }

  /**
   * What is found in a source, now or remembered; not to be called again before it is told. Null where
   * a limit was reached or the run was ended, so that another scan might find something else.
   */
  async scan(source: Resolved): Promise<OutputFacts | null> {
    const { memory } = this.#shared;
    const recalled = (await memory?.recall([[this.#number, source, []]]))?.get(this.#number);
    const facts = recalled ?? (await this.#scanned(source));
    return facts === null || facts.gaps.some(({ reason }) => BY_CHANCE.has(reason)) ? null : facts;
  }

  async #scanned(source: Resolved): Promise<OutputFacts | null> {
    if (this.#ended) return null;
    const { budgets, memory, add } = this.#shared;
    Budget.clear(budgets, this.#number);
    return await new Promise((tell) => {
      this.#open = { source, sink: new FactSink(), tell, narHash: null, pending: 0, broken: false };
      const work = [unitOf(this.#number, source, memory !== null)];
      add({ hashParts: source.hashParts, aliases: [], work });
    });
  }

  pending(target: number, change: 1 | -1): void {
    const open = this.#open;
    if (target !== this.#number || open === null) return;
    open.pending += change;
    if (open.pending === 0) this.#close(open);
  }

  /** Parts of a worker's results; told before `pending` says that its work is over. */
  take({ parts, hashed, faults, unfinished }: FromWorker & { kind: 'done' }): void {
    const open = this.#open;
    if (open === null) return;
    for (const [target, facts] of parts) if (target === this.#number) open.sink.merge(unpackFacts(facts));
    for (const [target, narHash] of hashed) if (target === this.#number) open.narHash = narHash;
    const failed = faults.some(([target]) => target === this.#number);
    if (failed || unfinished.includes(this.#number)) open.broken = true;
  }

  lost(targets: readonly number[]): void {
    if (this.#open !== null && targets.includes(this.#number)) this.#open.broken = true;
  }

  /** Nothing more is scanned. */
  end(): void {
    this.#ended = true;
    this.#open?.tell(null);
    this.#open = null;
  }

  #close(open: Open): void {
    this.#open = null;
    const { source, narHash, tell } = open;
    const { argument: target, storePath, info } = source;
    const { context, memory } = this.#shared;
    // changed behind Nix's back, or nobody knows
    const isDoubtful = memory !== null && narHash !== info?.narHash;
    if (open.broken || isDoubtful) return tell(null);
    const { findings, gaps, stats } = weighed(open.sink.sorted(), source, [], context);
    const facts = { target, storePath, narHash, findings, gaps, stats };
    memory?.remember(this.#number, facts);
    tell(facts);
  }
}
