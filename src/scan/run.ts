import { NarScanError } from '../model/errors.ts';
import type { Gap, OutputFacts, TracedFacts } from '../model/facts.ts';
import { reportError, type ReportError } from '../model/report.ts';
import type { NeedleContext } from '../needles/compile.ts';
import { FactSink, type PartialFacts } from '../sources/factSink.ts';
import { InOrder } from './inOrder.ts';
import { unpackFacts } from './packedFacts.ts';
import type { Control, FromWorker, QueuedWork } from './protocol.ts';
import { ShownAliases } from './shownAliases.ts';
import { isRemembered, type RunMemory } from './runMemory.ts';
import type { Resolved } from './targets.ts';
import { faultGap, UNPROVEN, UNREACHED, withGaps } from './unscanned.ts';
import { weighed } from './weighed.ts';
import { longStreams, unitOf, workOf, type Numbered } from './worklist.ts';

/** What a scan tells while it runs. */
export interface ScanSink {
  output(facts: TracedFacts): Promise<void>;
  error(error: ReportError): void;
  progress(progress: {
    bytes: number;
    files: number;
    outputsLeft: number;
    /** Of those that are done, how many were known from an earlier run. */
    outputsKnown: number;
    bytesTotal: number | null;
  }): void;
}

/** What is known of one target while workers are at it. */
interface Open {
  readonly target: Resolved;
  readonly aliases: readonly string[];
  readonly sink: FactSink;
  readonly streams: OutputFacts[];
  /** Whether it is one output that comes in parts: a tree, or a NAR whose contents were shared. */
  inParts: boolean;
  /** Of what was scanned as a whole. */
  narHash: string | null;
  /** What was found before, when it is scanned for the second time. */
  readonly first: readonly OutputFacts[] | null;
  /** Why not all of it was scanned. */
  readonly broken: Gap[];
  pending: number;
  started: number;
}

/**
 * Gathers the parts of all targets, and tells each when its last part is there.
 *
 * A physical place of the store that one output shows by a hash part is a known alias for all that
 * follow it in the order of the arguments, and these are scanned once more for it. So the facts are
 * the same however the work was shared out, and a run that shows no alias pays nothing. Standard
 * input cannot be read twice: nothing is added to it.
 */
export class Run {
  readonly done: Promise<void>;
  readonly #targets: readonly Resolved[];
  readonly #context: NeedleContext;
  /** By number: that of the target, and for its second scan as much more as there are targets. */
  readonly #open = new Map<number, Open>();
  readonly #sink: ScanSink;
  readonly #add: (queued: QueuedWork) => void;
  readonly #memory: RunMemory | null;
  readonly #order: InOrder<readonly OutputFacts[]>;
  /** Scanned once; waiting until those before them are, too. */
  readonly #scanned = new Map<number, readonly OutputFacts[]>();
  readonly #shown: ShownAliases;
  #next = 0;
  #recalled: ReadonlyMap<number, OutputFacts> = new Map();
  #known = 0;
  #ended = false;
  #resolveDone: () => void = () => undefined;

  /**
   * @param add takes work that comes up while others is done
   * @param memory of earlier runs; valid store paths are hashed where there is one
   */
  constructor(
    targets: readonly Resolved[],
    context: NeedleContext,
    sink: ScanSink,
    add: (queued: QueuedWork) => void,
    memory: RunMemory | null = null,
  ) {
    this.#targets = targets;
    this.#context = context;
    this.#sink = sink;
    this.#add = add;
    this.#memory = memory;
    this.#shown = new ShownAliases(context);
    this.done = new Promise((resolve) => (this.#resolveDone = resolve));
    this.#order = new InOrder(async (outputs) => {
      for (const facts of outputs) await sink.output(facts);
    });
    for (const [index, target] of targets.entries()) this.#begin(index, target, [], null);
  }

  get finished(): boolean {
    return this.#targets.length === 0;
  }

  /** How many numbers of targets there are at most. */
  get size(): number {
    return 2 * this.#targets.length;
  }

  /** Asks the memory for all targets; to be called once, before {@link start}. */
  async recall(): Promise<void> {
    this.#recalled = await this.#recall([...this.#targets.keys()], []);
  }

  /** How many streams are to be hashed, each of which keeps one worker busy for long. */
  get streams(): number {
    return longStreams(this.#left(), this.#memory !== null);
  }

  /** Adds the work, and closes what the memory knows. */
  start(workers: number): void {
    for (const queued of workOf(this.#left(), workers, this.#memory !== null)) this.#add(queued);
    const recalled = this.#recalled;
    // from now on they are held as long as those that are scanned
    this.#recalled = new Map();
    this.#settle(recalled);
  }

  /** The targets that are to be scanned: what the memory does not know. */
  get left(): readonly Resolved[] {
    return this.#left().map(([, target]) => target);
  }

  #left(): readonly Numbered[] {
    return [...this.#targets.entries()].filter(([index]) => !this.#recalled.has(index));
  }

  pending(target: number, change: 1 | -1): void {
    const open = this.#open.get(target);
    if (open === undefined) return;
    open.pending += change;
    if (open.pending === 0) this.#close(target, open);
  }

  /** Parts of a worker's results; told before `pending` says that its work is over. */
  take({ parts, streams, hashed, faults, unfinished }: FromWorker & { kind: 'done' }): void {
    for (const [target, facts] of parts) {
      const open = this.#open.get(target);
      if (open === undefined) continue;
      open.inParts = true;
      open.sink.merge(unpackFacts(facts));
    }
    for (const [target, narHash] of hashed) {
      const open = this.#open.get(target);
      if (open !== undefined) open.narHash = narHash;
    }
    for (const [target, outputs] of streams) {
      const open = this.#open.get(target);
      for (const { storePath, narHash, facts } of outputs) {
        open?.streams.push(this.#facts(open, storePath, narHash, facts));
      }
    }
    for (const [target, code, message] of faults) this.#fault(target, new NarScanError(code, message));
    for (const target of unfinished) this.#open.get(target)?.broken.push(UNREACHED);
  }

  lost(targets: readonly number[], reason: string): void {
    for (const target of targets)
      this.#fault(target, new NarScanError('WORKER_DIED', `a worker died: ${reason}`));
  }

  progress(control: Control): void {
    const { bytesPassed, filesPassed } = control;
    this.#sink.progress({
      bytes: bytesPassed,
      files: filesPassed,
      outputsLeft: this.#open.size,
      outputsKnown: this.#known,
      bytesTotal: null,
    });
  }

  /** Tells what is there of every target that is still open, with a gap for the rest. */
  endAll(): void {
    this.#ended = true;
    for (const [target, open] of this.#open) {
      open.broken.push(UNREACHED);
      this.#close(target, open);
    }
  }

  async delivered(): Promise<void> {
    await this.#order.settled();
  }

  #begin(
    number: number,
    target: Resolved,
    aliases: readonly string[],
    first: readonly OutputFacts[] | null,
  ): void {
    const started = process.uptime();
    const sink = new FactSink();
    const open = {
      target,
      aliases,
      sink,
      streams: [],
      inParts: target.kind === 'tree',
      narHash: null,
      first,
      broken: [],
      pending: 0,
      started,
    };
    this.#open.set(number, open);
  }

  async #recall(
    numbers: readonly number[],
    aliases: readonly string[],
  ): Promise<ReadonlyMap<number, OutputFacts>> {
    if (this.#memory === null) return new Map();
    const asked = numbers.flatMap((number) => {
      const target = this.#open.get(number)?.target;
      return target === undefined ? [] : [[number, target, aliases] as const];
    });
    return await this.#memory.recall(asked);
  }

  /** Closes targets by what is known of them. */
  #settle(recalled: ReadonlyMap<number, OutputFacts>): void {
    for (const [number, facts] of recalled) {
      const open = this.#open.get(number);
      if (open === undefined) continue;
      if (open.first === null) this.#known++;
      this.#conclude(number, open, [facts]);
    }
    this.#proceed();
  }

  /** Scans targets once more, for the aliases that those before them have shown. */
  async #again(numbers: readonly number[], aliases: readonly string[]): Promise<void> {
    const recalled = await this.#recall(numbers, aliases);
    for (const number of numbers) {
      const target = this.#open.get(number)?.target;
      if (target === undefined || recalled.has(number)) continue;
      const work = [unitOf(number, target, this.#memory !== null)];
      this.#add({ hashParts: target.hashParts, aliases, work });
    }
    this.#settle(recalled);
  }

  #fault(target: number, error: NarScanError): void {
    const open = this.#open.get(target);
    if (open === undefined) return;
    open.broken.push(faultGap(error));
    this.#sink.error(reportError(error, open.target.argument));
  }

  #close(number: number, open: Open): void {
    const { target, narHash } = open;
    const registered = target.info?.narHash ?? null;
    if (narHash !== null && registered !== null && narHash !== registered) {
      const message = `'${target.storePath}' has the NarHash ${narHash}, but ${registered} is registered`;
      this.#fault(number, new NarScanError('PATH_TAMPERED', message));
    }
    const outputs = this.#outputs(open);
    const [only] = outputs;
    if (only !== undefined) this.#memory?.remember(number, only);
    this.#conclude(number, open, outputs);
    this.#proceed();
  }

  /**
   * To be followed by {@link #proceed}.
   * @param outputs all that is known of the target, whether it was scanned or remembered
   */
  #conclude(number: number, open: Open, outputs: readonly OutputFacts[]): void {
    this.#open.delete(number);
    const index = number % this.#targets.length;
    if (open.first === null) {
      this.#scanned.set(index, outputs);
    } else {
      // half a second scan may show less than the first did
      this.#order.put(index, open.broken.length > 0 ? withGaps(open.first, open.broken) : outputs);
    }
  }

  #proceed(): void {
    this.#advance();
    if (this.#open.size === 0) this.#resolveDone();
  }

  /** Goes on in the order of the arguments with what was scanned once. */
  #advance(): void {
    const again = new Map<readonly string[], number[]>();
    for (;;) {
      const index = this.#next;
      const outputs = this.#scanned.get(index);
      const target = this.#targets[index];
      if (outputs === undefined || target === undefined) break;
      this.#scanned.delete(index);
      this.#next++;
      const aliases = this.#shown.all;
      for (const facts of outputs) this.#shown.add(facts, target.hashParts);
      if (aliases.length === 0 || target.path === null || outputs.length === 0) {
        this.#order.put(index, outputs);
        continue;
      }
      if (this.#ended) {
        const isTold = outputs.some(({ gaps }) => gaps.includes(UNREACHED));
        this.#order.put(index, isTold ? outputs : withGaps(outputs, [UNREACHED]));
        continue;
      }
      const number = this.#targets.length + index;
      this.#begin(number, target, aliases, outputs);
      const others = again.get(aliases);
      if (others === undefined) again.set(aliases, [number]);
      else others.push(number);
    }
    for (const [aliases, numbers] of again) void this.#again(numbers, aliases);
  }

  #outputs(open: Open): readonly OutputFacts[] {
    const { target, streams } = open;
    for (const gap of open.broken) open.sink.addGap(gap);
    if (this.#isUnproven(open)) open.sink.addGap(UNPROVEN);
    const own = open.sink.sorted();
    if (open.inParts || own.gaps.length > 0) {
      return [
        ...streams,
        this.#facts(open, target.storePath, open.narHash, weighed(own, target, open.aliases, this.#context)),
      ];
    }
    if (streams.length === 0) {
      const { argument } = target;
      const error = new NarScanError('NO_OUTPUTS', `'${argument}' is an export stream of nothing`);
      this.#sink.error(reportError(error, argument));
    }
    return streams;
  }

  /** Whether it was to be hashed and was not, although nothing of it seems to be missing. */
  #isUnproven({ target, narHash, sink }: Open): boolean {
    if (this.#memory === null || !isRemembered(target)) return false;
    return narHash === null && sink.facts.gaps.length === 0;
  }

  #facts(open: Open, storePath: string | null, narHash: string | null, part: PartialFacts): OutputFacts {
    const { findings, gaps, stats } = part;
    const milliseconds = Math.round((process.uptime() - open.started) * 1000);
    return {
      target: open.target.argument,
      storePath,
      narHash,
      findings,
      gaps,
      stats: { ...stats, milliseconds },
    };
  }
}
