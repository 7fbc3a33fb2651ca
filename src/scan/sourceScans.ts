import { Budget } from '../inspect/containers/budget.ts';
import type { ByteString } from '../model/bytes.ts';
import type { GapReason } from '../model/facts.ts';
import { FactSink, type PartialFacts } from '../sources/factSink.ts';
import { unpackFacts } from './packedFacts.ts';
import type { FromWorker, QueuedWork } from './protocol.ts';

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
  readonly sink: FactSink;
  readonly tell: (facts: PartialFacts | null) => void;
  pending: number;
  broken: boolean;
}

/**
 * Scans sources of builds as outputs are scanned, one after another, on the threads of a run. The
 * pool knows them by one number, as if they were a target.
 */
export class SourceScans {
  readonly #number: number;
  readonly #budgets: SharedArrayBuffer;
  readonly #add: (queued: QueuedWork) => void;
  #open: Open | null = null;
  #ended = false;

  /** @param budgets holds one for this number, too */
  constructor(number: number, budgets: SharedArrayBuffer, add: (queued: QueuedWork) => void) {
    this.#number = number;
    this.#budgets = budgets;
    this.#add = add;
  }

  /**
   * What is found in the source at `path`; not to be called again before it is told. Null where a limit
   * was reached or the run was ended, so that another scan might find something else.
   */
  async scan(path: ByteString): Promise<PartialFacts | null> {
    if (this.#ended) return null;
    Budget.clear(this.#budgets, this.#number);
    return await new Promise((tell) => {
      this.#open = { sink: new FactSink(), tell, pending: 0, broken: false };
      // only homes are of interest: without hash parts the facts are the same for all outputs
      this.#add({
        hashParts: [],
        aliases: [],
        work: [{ kind: 'tree', target: this.#number, piece: { kind: 'root', path } }],
      });
    });
  }

  pending(target: number, change: 1 | -1): void {
    const open = this.#open;
    if (target !== this.#number || open === null) return;
    open.pending += change;
    if (open.pending === 0) this.#close(open);
  }

  /** Parts of a worker's results; told before `pending` says that its work is over. */
  take({ parts, faults, unfinished }: FromWorker & { kind: 'done' }): void {
    const open = this.#open;
    if (open === null) return;
    for (const [target, facts] of parts) if (target === this.#number) open.sink.merge(unpackFacts(facts));
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
    const facts = open.sink.sorted();
    const whole = !open.broken && !facts.gaps.some(({ reason }) => BY_CHANCE.has(reason));
    open.tell(whole ? facts : null);
  }
}
