import type { ByteString } from '../model/bytes.ts';
import { NarScanError } from '../model/errors.ts';
import type { GapReason } from '../model/facts.ts';
import { ExportParser, type ExportTrailer } from '../formats/nar/exportStream.ts';
import { NarParser, narTrailing } from '../formats/nar/parser.ts';
import type { Budget } from '../inspect/containers/budget.ts';
import type { LocalGap } from '../inspect/local.ts';
import { type FactRoom, FactSink, type PartialFacts } from './factSink.ts';
import type { Inspection } from './inspection.ts';
import { type EntryObserver, NarEntries, type StreamRange, type TakeContents } from './narEntries.ts';
import type { NarHasher } from './narHasher.ts';
import { softenKnownReferences } from './references.ts';
import type { Window } from '../inspect/window.ts';

/** One output of a stream: a NAR, or one path of an export stream. */
export interface StreamOutput {
  readonly storePath: string | null;
  readonly narHash: string | null;
  /** Bytes of the NAR, as far as it is one. */
  readonly narSize: number;
  readonly facts: PartialFacts;
}

/** What the scan of a stream needs besides the bytes. */
export interface StreamContext {
  readonly window: Window;
  readonly inspection: Inspection;
  /** Computes NarHash, or null where nobody asks for it. */
  readonly hasher: NarHasher | null;
  readonly range: StreamRange;
  readonly budget: Budget;
  /** What the root is called, where that is known: a file's kind may be told by it. */
  readonly rootName?: ByteString;
  readonly observer?: EntryObserver | null;
  /** Of a single NAR of which nothing is hashed: takes contents that are read elsewhere. */
  readonly takes?: TakeContents | null;
  /** For the facts of all of its outputs together; each has its own where it is left out. */
  readonly facts?: FactRoom;
}

/**
 * Scans a stream that passes through the window chunk by chunk. Both kinds, a NAR and an export
 * stream, give outputs; a fault ends the parsing, never the search: what follows it is searched as
 * plain bytes.
 */
export abstract class StreamScan {
  /** Bytes of the stream that came before the present chunk. */
  protected before = 0;
  #raw = false;
  protected readonly context: StreamContext;
  protected sink: FactSink;
  protected entries: NarEntries;

  constructor(context: StreamContext) {
    this.context = context;
    this.sink = new FactSink(context.facts);
    this.entries = this.openEntries();
  }

  /**
   * The next `count` bytes lie at the window's start. To be followed by {@link open} while it {@link waits}.
   * Returns how many of them were wanted: all, or fewer where the next chunk is to begin elsewhere, at
   * {@link position}.
   */
  chunk(count: number): number {
    const { memory, start } = this.context.window;
    const end = start + count;
    let taken = count;
    let passedOver = 0;
    if (this.#raw) {
      this.context.inspection.contents.extend(end, false);
    } else {
      try {
        this.entries.chunkBegin(this.before);
        taken = this.parse(memory, start, end);
        passedOver = this.passOver();
        this.entries.chunkEnd();
      } catch (error) {
        this.#fault(error, end);
      }
    }
    if (this.#raw) this.context.window.carry(this.context.inspection.contents);
    this.before += taken + passedOver;
    return taken;
  }

  /** Offset in the stream of the next chunk. */
  get position(): number {
    return this.before;
  }

  /** Whether files have ended that hold containers. */
  get waits(): boolean {
    return this.entries.waits;
  }

  /** Opens the containers of files that have ended. */
  async open(): Promise<void> {
    await this.entries.open(this.context.budget);
  }

  /** The stream ended. */
  end(): readonly StreamOutput[] {
    if (!this.#raw) {
      try {
        this.parseEnd();
      } catch (error) {
        this.#fault(error, this.context.window.start);
      }
    }
    return this.#close(!this.#raw);
  }

  /** The stream could not be read or decoded any further. */
  broken(reason: GapReason, detail: string): readonly StreamOutput[] {
    const gap: LocalGap = { reason, offset: null, detail };
    if (!this.#raw) this.entries.broken(gap);
    this.sink.gap('', gap);
    return this.#close(false);
  }

  protected openEntries(): NarEntries {
    const { window, inspection, range, rootName, observer, takes } = this.context;
    return new NarEntries(window, inspection, this.sink, range, rootName, observer, takes);
  }

  /** Passes over contents that are read elsewhere and that come next; returns their bytes. */
  protected passOver(): number {
    return 0;
  }

  /** Returns how many bytes it took: all, where nothing is to be passed over. */
  protected abstract parse(memory: Uint8Array, start: number, end: number): number;
  protected abstract parseEnd(): void;
  protected abstract path(): ByteString;
  /** The outputs, the last of which got `sink`'s facts. */
  protected abstract outputs(intact: boolean): readonly StreamOutput[];

  /** The parser gave up: a gap where it stood, and the rest is searched as bytes. */
  #fault(error: unknown, end: number): void {
    if (!(error instanceof NarScanError)) throw error;
    const { start } = this.context.window;
    const offset = error.offset ?? this.before;
    const gap: LocalGap = { reason: 'malformed-nar', offset, detail: `${error.code}: ${error.message}` };
    this.sink.gap(this.path(), gap);
    this.entries.broken({ ...gap, reason: 'truncated' });
    const from = Math.min(Math.max(start, start + offset - this.before), end);
    this.#raw = true;
    const { contents } = this.context.inspection;
    contents.begin(from, this.before + from - start);
    contents.extend(end, false);
  }

  /** @param intact whether all of the stream was there, and was what it should be */
  #close(intact: boolean): readonly StreamOutput[] {
    if (this.#raw) {
      const { contents } = this.context.inspection;
      contents.extend(contents.end, true);
      this.sink.content('', contents.rest());
    }
    return this.outputs(intact);
  }
}

/** A single NAR. */
export class NarScan extends StreamScan {
  readonly #parser: NarParser;

  constructor(context: StreamContext) {
    super(context);
    this.#parser = new NarParser(this.entries);
  }

  protected override parse(memory: Uint8Array, start: number, end: number): number {
    const taken = this.#parser.push(memory, start, end);
    if (taken > 0) this.context.hasher?.update(memory, start, start + taken);
    if (start + taken < end && !this.#parser.passesOver) throw narTrailing(this.#parser.offset);
    return taken;
  }

  protected override passOver(): number {
    return this.#parser.passesOver ? this.#parser.passOver() : 0;
  }

  protected override parseEnd(): void {
    this.#parser.end();
  }

  protected override path(): ByteString {
    return this.#parser.path;
  }

  protected override outputs(intact: boolean): readonly StreamOutput[] {
    const { hasher } = this.context;
    const whole = intact && this.#parser.done;
    const narHash = whole && hasher !== null ? hasher.finish() : null;
    if (!whole) hasher?.discard();
    return [{ storePath: null, narHash, narSize: this.#parser.offset, facts: this.sink.sorted() }];
  }
}

/** An output whose trailer has come; some of its containers may still wait. */
interface ClosedOutput {
  readonly trailer: ExportTrailer;
  readonly narHash: string | null;
  readonly narSize: number;
  readonly sink: FactSink;
}

/** An export stream: any number of NARs, each with its store path and references. */
export class ExportScan extends StreamScan {
  readonly #parser: ExportParser;
  readonly #closed: ClosedOutput[] = [];
  /** Entries of outputs that have ended within one chunk and hold containers. */
  readonly #waiting: { readonly entries: NarEntries; readonly budget: Budget }[] = [];
  #budget: Budget;
  #narSize = 0;
  /** Whether something of an output has been seen that no trailer has named yet. */
  #open = false;

  constructor(context: StreamContext) {
    super(context);
    this.#budget = context.budget;
    this.#parser = new ExportParser({
      directory: (path) => this.entries.directory(path),
      symlink: (path, target) => this.entries.symlink(path, target),
      file: (path, executable, size, offset) => this.entries.file(path, executable, size, offset),
      contents: (chunk, start, end) => this.entries.contents(chunk, start, end),
      fileEnd: () => this.entries.fileEnd(),
      narBegin: () => this.#begin(),
      narBytes: (chunk, start, end) => {
        this.#narSize += end - start;
        this.context.hasher?.update(chunk, start, end);
      },
      trailer: (trailer) => this.#trailer(trailer),
    });
  }

  protected override parse(memory: Uint8Array, start: number, end: number): number {
    this.#parser.push(memory, start, end);
    return end - start;
  }

  protected override parseEnd(): void {
    this.#parser.end();
  }

  protected override path(): ByteString {
    return this.#parser.path;
  }

  protected override outputs(intact: boolean): readonly StreamOutput[] {
    const outputs = this.#closed.map((closed) => this.#output(closed));
    const facts = this.sink.sorted();
    if (this.#open) this.context.hasher?.discard();
    if (this.#open || !intact || facts.gaps.length > 0) {
      const narSize = this.#open ? this.#narSize : 0;
      outputs.push({ storePath: null, narHash: null, narSize, facts });
    }
    return outputs;
  }

  override get waits(): boolean {
    return super.waits || this.#waiting.length > 0;
  }

  override async open(): Promise<void> {
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      await next.entries.open(next.budget);
    }
    await this.entries.open(this.#budget);
  }

  #begin(): void {
    this.sink = new FactSink(this.context.facts);
    this.entries = this.openEntries();
    this.entries.chunkBegin(this.before);
    this.#budget = this.context.budget.fresh();
    this.#narSize = 0;
    this.#open = true;
  }

  #trailer(trailer: ExportTrailer): void {
    const narHash = this.context.hasher?.finish() ?? null;
    this.#closed.push({ trailer, narHash, narSize: this.#narSize, sink: this.sink });
    if (this.entries.waits) this.#waiting.push({ entries: this.entries, budget: this.#budget });
    this.sink = new FactSink(this.context.facts);
    this.#open = false;
  }

  #output({ trailer: { storePath, references }, narHash, narSize, sink }: ClosedOutput): StreamOutput {
    const { set } = this.context.inspection;
    const facts = softenKnownReferences(sink.sorted(), [storePath, ...references], set);
    return { storePath, narHash, narSize, facts };
  }
}
