import type { ByteString } from '../model/bytes.ts';
import type { GapReason } from '../model/facts.ts';
import type { Budget, ContainerLimits } from '../inspect/containers/budget.ts';
import type { Codec } from '../formats/compression/codec.ts';
import type { Window } from '../inspect/window.ts';
import { sniffNar, SNIFF_BYTES } from '../formats/nar/sniff.ts';
import { RunEnded } from './byteSource.ts';
import type { FactRoom } from './factSink.ts';
import type { Inspection } from './inspection.ts';
import type { EntryObserver, StreamRange, TakeContents } from './narEntries.ts';
import type { NarHasher } from './narHasher.ts';
import { ExportScan, NarScan, type StreamOutput, type StreamScan } from './narStream.ts';
import { checkUnpacked, type Decode, type Decoding } from './packed.ts';

export interface NarTargetOptions {
  /** Whether the stream is an export stream for sure; else its first bytes tell. */
  readonly exportStream: boolean;
  /** Whether it must be one NAR: an export stream is none then, whatever its first bytes tell. */
  readonly oneNar?: boolean;
  /** What computes NarHash, `decoding`: beside a decoder, or null where nobody asks for it. */
  readonly hasher: (decoding: boolean) => NarHasher | null;
  /** Called as bytes of the stream pass; true: the run was ended, stop. */
  readonly passed: (bytes: number) => boolean;
  /** What the containers of each output may cost. */
  readonly budget: Budget;
  /** What decodes a packed stream, where it is not to be done in this thread. */
  readonly decode?: Decode;
  /** Of a single NAR: what its root is called, where that is known, and who is told of its entries. */
  readonly rootName?: ByteString;
  readonly observer?: EntryObserver | null;
  /** Who reads contents of a single NAR in a file elsewhere; nobody does where it is hashed or observed. */
  readonly elsewhere?: ReadElsewhere | null;
  /** What a packed stream may unpack to, where it comes from somebody who is not to be trusted with more. */
  readonly unpacked?: ContainerLimits;
  /** For the facts of all outputs together, where it comes from somebody who is not to be trusted with more. */
  readonly facts?: FactRoom;
  /** Told how the stream is packed, before anything is searched. */
  readonly packed?: (codec: Codec) => void;
}

/** A file of which not all is read in order, because somebody else reads contents of it. */
export interface ReadElsewhere {
  readonly takes: TakeContents;
  /** Goes on reading at `offset`. */
  goOn(offset: number): void;
}

/** Feeds the window, tells NAR from export stream by the first bytes, and opens the scan that fits. */
export class StreamTarget {
  range: StreamRange = () => null;
  decoding = true;
  readonly #window: Window;
  readonly #inspection: Inspection;
  readonly #options: NarTargetOptions;
  #scan: StreamScan | null = null;
  /** Decoded bytes that wait in the window. */
  #waiting = 0;
  #decodedBytes = 0;

  constructor(window: Window, inspection: Inspection, options: NarTargetOptions) {
    this.#window = window;
    this.#inspection = inspection;
    this.#options = options;
  }

  /**
   * `count` bytes lie at the window's start.
   * @throws RunEnded
   */
  chunk(count: number): void {
    const taken = this.#open(count).chunk(count);
    if (this.#options.passed(taken)) throw new RunEnded();
  }

  /** Offset in the stream of the next chunk, as {@link ReadElsewhere} is to go on. */
  get position(): number {
    return this.#scan?.position ?? 0;
  }

  /** Whether files have ended that hold containers. */
  get waits(): boolean {
    return this.#scan?.waits === true;
  }

  /** Opens the containers of files that have ended. */
  async open(): Promise<void> {
    await this.#scan?.open();
  }

  /**
   * Takes all that a packed stream unpacks to.
   * @throws LimitReached, RunEnded, what the decoder throws
   */
  async unpack(decoding: Decoding): Promise<void> {
    const { unpacked } = this.#options;
    const { turns } = this.#options.budget;
    for await (const bytes of decoding) {
      await this.#decoded(bytes);
      if (turns?.due === true) await turns.pass();
      if (unpacked !== undefined) checkUnpacked(unpacked, this.#decodedBytes, decoding.given);
    }
    await this.#flush();
  }

  /** Takes decoded bytes, a window full at a time. */
  async #decoded(bytes: Uint8Array): Promise<void> {
    const { memory, start, size } = this.#window;
    this.#decodedBytes += bytes.length;
    for (let at = 0; at < bytes.length;) {
      const part = Math.min(size - this.#waiting, bytes.length - at);
      memory.set(bytes.subarray(at, at + part), start + this.#waiting);
      this.#waiting += part;
      at += part;
      if (this.#waiting === size) await this.#flush();
    }
  }

  /** Scans the decoded bytes that wait. */
  async #flush(): Promise<void> {
    const count = this.#waiting;
    this.#waiting = 0;
    if (count === 0) return;
    this.chunk(count);
    if (this.waits) await this.open();
  }

  end(): readonly StreamOutput[] {
    return this.#counted(this.#open(0).end());
  }

  async broken(reason: GapReason, detail: string): Promise<readonly StreamOutput[]> {
    const count = this.#waiting;
    if (count > 0) this.#open(count).chunk(count);
    await this.open();
    return this.#counted(this.#open(0).broken(reason, detail));
  }

  #open(count: number): StreamScan {
    if (this.#scan === null) {
      const { memory, start } = this.#window;
      const head = memory.subarray(start, start + Math.min(count, SNIFF_BYTES));
      const { observer = null, elsewhere } = this.#options;
      const hasher = this.#options.hasher(this.decoding);
      const readsAll = this.decoding || hasher !== null || observer !== null;
      const context = {
        window: this.#window,
        inspection: this.#inspection,
        hasher,
        range: this.range,
        budget: this.#options.budget,
        ...(this.#options.rootName === undefined ? {} : { rootName: this.#options.rootName }),
        observer,
        takes: readsAll ? null : (elsewhere?.takes ?? null),
        ...(this.#options.facts === undefined ? {} : { facts: this.#options.facts }),
      };
      const { exportStream, oneNar = false } = this.#options;
      const isExport = exportStream || (!oneNar && sniffNar(head) === 'export');
      this.#scan = isExport ? new ExportScan({ ...context, takes: null }) : new NarScan(context);
    }
    return this.#scan;
  }

  #counted(outputs: readonly StreamOutput[]): readonly StreamOutput[] {
    const last = outputs.at(-1);
    if (last !== undefined) last.facts.stats.expandedBytes += this.#decodedBytes;
    return outputs;
  }
}
