import type { RangeReader } from '../formats/ranges.ts';
import type { Spool } from '../inspect/containers/spool.ts';
import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { fsPath, type ByteString } from '../model/bytes.ts';
import { NarScanError } from '../model/errors.ts';
import type { GapReason } from '../model/facts.ts';
import { type Budget, checkRatio, type ContainerLimits, LimitReached } from '../inspect/containers/budget.ts';
import type { Codec } from '../formats/compression/codec.ts';
import { type ContentFacts, findingAt, gapAt } from '../inspect/local.ts';
import { sniffNar, SNIFF_BYTES } from '../formats/nar/sniff.ts';
import { FdSource, readFull, RunEnded, type ByteSource } from './byteSource.ts';
import type { FactRoom } from './factSink.ts';
import type { Inspection } from './inspection.ts';
import type { EntryObserver, StreamRange } from './narEntries.ts';
import type { NarHasher } from './narHasher.ts';
import { ExportScan, NarScan, type StreamOutput, type StreamScan } from './narStream.ts';
import { searchPacked } from './packedSearch.ts';
import { openStdin } from './stdin.ts';
import type { Window } from '../inspect/window.ts';

const INPUT_BYTES = 256 * 1024;

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
  /** Of a single NAR: what its root is called, where that is known, and who is told of its entries. */
  readonly rootName?: ByteString;
  readonly observer?: EntryObserver | null;
  /** What a packed stream may unpack to, where it comes from somebody who is not to be trusted with more. */
  readonly unpacked?: ContainerLimits;
  /** For the facts of all outputs together, where it comes from somebody who is not to be trusted with more. */
  readonly facts?: FactRoom;
  /** Told how the stream is packed, before anything is searched. */
  readonly packed?: (codec: Codec) => void;
}

/** Scans what is to be read from standard input. */
export async function scanStdin(
  window: Window,
  inspection: Inspection,
  options: NarTargetOptions,
): Promise<readonly StreamOutput[]> {
  using stdin = await openStdin(() => options.passed(0));
  return await scanSource(stdin.source, null, window, inspection, options);
}

/**
 * Scans a file that holds a NAR or an export stream, compressed or not. `name` is its file name.
 * @throws the system's error when the file cannot be opened
 */
export async function scanNarFile(
  path: ByteString,
  window: Window,
  inspection: Inspection,
  options: NarTargetOptions,
): Promise<readonly StreamOutput[]> {
  const fd = openSync(fsPath(path), constants.O_RDONLY);
  try {
    const source = new FdSource(fd, fstatSync(fd).isFile(), () => options.passed(0));
    return await scanSource(source, path.slice(path.lastIndexOf('/') + 1), window, inspection, options);
  } finally {
    closeSync(fd);
  }
}

/** Scans one stream of bytes; faults of reading and decoding become gaps. */
export async function scanSource(
  source: ByteSource,
  name: string | null,
  window: Window,
  inspection: Inspection,
  options: NarTargetOptions,
): Promise<readonly StreamOutput[]> {
  const scan = new StreamTarget(window, inspection, options);
  try {
    const { memory, start, size } = window;
    let count = readFull(source, memory, start, Math.min(size, INPUT_BYTES));
    const codec = await codecOf(memory.subarray(start, start + Math.min(count, 64)), name);
    options.packed?.(codec ?? 'none');
    if (codec === null) {
      scan.decoding = false;
      scan.range = (offset, length) => source.range(offset, length);
      for (; count > 0; count = source.read(memory, start, size)) {
        scan.chunk(count);
        if (scan.waits) await scan.open();
      }
    } else {
      const head = Buffer.from(memory.subarray(start, start + count));
      const { decompress } = await import('../formats/compression/decompress.ts');
      // what comes through a pipe cannot be read again
      using kept = source.range(0, 0) === null ? disposable(inspection.spools.open()) : null;
      const packed = new Packed(head, source, kept?.spool ?? null);
      let unpacked = 0;
      for await (const decoded of decompress(codec, packed)) {
        await scan.decoded(decoded);
        if (options.unpacked !== undefined)
          checkUnpacked(options.unpacked, (unpacked += decoded.length), packed.taken);
      }
      await scan.flush();
      const outputs = scan.end();
      const whole = kept === null ? source.range(0, packed.taken) : readerOf(kept.spool, packed.taken);
      addFacts(outputs, whole === null ? UNKEPT : searchPacked(whole, window, inspection));
      return outputs;
    }
    return scan.end();
  } catch (error) {
    return await scan.broken(...gapOf(error));
  }
}

/** What is said of a packed stream that came through a pipe and of which not all could be kept. */
const UNKEPT: ContentFacts = {
  findings: [],
  gaps: [
    {
      reason: 'limit-memory',
      offset: null,
      detail: 'there was no room to keep it as it came: scan it as a file',
    },
  ],
};

function disposable(spool: Spool): Disposable & { readonly spool: Spool } {
  return { spool, [Symbol.dispose]: () => spool.close() };
}

function readerOf(spool: Spool, size: number): RangeReader | null {
  return spool.complete ? spool.reader(0, size) : null;
}

/**
 * What lies beside the outputs is said of the first of them, as of itself: homes that are known and that it does not hold
 * anyway. Where a path begins cannot be told of packed bytes: what stood before it may be written as a reference to
 * earlier bytes, so that `/nix/store/…` looks like `/store/…` in them.
 */
function addFacts([output]: readonly StreamOutput[], { findings, gaps }: ContentFacts): void {
  const held = new Set(output?.facts.findings.map(({ home }) => home));
  const beside = findings.filter(({ rule, home }) => rule === 'known-home' && !held.has(home));
  output?.facts.findings.unshift(...beside.map((finding) => findingAt('', finding)));
  output?.facts.gaps.unshift(...gaps.map((gap) => gapAt('', gap)));
}

/** Feeds the window, tells NAR from export stream by the first bytes, and opens the scan that fits. */
class StreamTarget {
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
    this.#open(count).chunk(count);
    if (this.#options.passed(count)) throw new RunEnded();
  }

  /** Whether files have ended that hold containers. */
  get waits(): boolean {
    return this.#scan?.waits === true;
  }

  /** Opens the containers of files that have ended. */
  async open(): Promise<void> {
    await this.#scan?.open();
  }

  /** Takes decoded bytes, a window full at a time. */
  async decoded(bytes: Uint8Array): Promise<void> {
    const { memory, start, size } = this.#window;
    this.#decodedBytes += bytes.length;
    for (let at = 0; at < bytes.length;) {
      const part = Math.min(size - this.#waiting, bytes.length - at);
      memory.set(bytes.subarray(at, at + part), start + this.#waiting);
      this.#waiting += part;
      at += part;
      if (this.#waiting === size) await this.flush();
    }
  }

  /** Scans the decoded bytes that wait. */
  async flush(): Promise<void> {
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
      const context = {
        window: this.#window,
        inspection: this.#inspection,
        hasher: this.#options.hasher(this.decoding),
        range: this.range,
        budget: this.#options.budget,
        ...(this.#options.rootName === undefined ? {} : { rootName: this.#options.rootName }),
        observer: this.#options.observer ?? null,
        ...(this.#options.facts === undefined ? {} : { facts: this.#options.facts }),
      };
      const { exportStream, oneNar = false } = this.#options;
      const isExport = exportStream || (!oneNar && sniffNar(head) === 'export');
      this.#scan = isExport ? new ExportScan(context) : new NarScan(context);
    }
    return this.#scan;
  }

  #counted(outputs: readonly StreamOutput[]): readonly StreamOutput[] {
    const last = outputs.at(-1);
    if (last !== undefined) last.facts.stats.expandedBytes += this.#decodedBytes;
    return outputs;
  }
}

/** The compression of a stream, or null where it is none: a NAR or an export stream as it is. */
export async function codecOf(head: Uint8Array, name: string | null): Promise<Codec | null> {
  if (sniffNar(head.subarray(0, SNIFF_BYTES)) !== null) return null;
  const { sniffCodec } = await import('../formats/compression/sniff.ts');
  const codec = sniffCodec(head, name);
  return codec === 'none' ? null : codec;
}

/** A packed stream, piece by piece. */
export class Packed implements Iterable<Uint8Array> {
  /** Bytes that were given. */
  taken = 0;
  readonly #head: Uint8Array;
  readonly #source: ByteSource;
  readonly #spool: Spool | null;

  /**
   * @param head what was read of the source already
   * @param spool takes all that is given
   */
  constructor(head: Uint8Array, source: ByteSource, spool: Spool | null = null) {
    this.#head = head;
    this.#source = source;
    this.#spool = spool;
  }

  *[Symbol.iterator](): Generator<Uint8Array, void, undefined> {
    this.taken += this.#head.length;
    this.#spool?.add(this.#head);
    yield this.#head;
    const buffer = Buffer.alloc(INPUT_BYTES);
    for (;;) {
      const count = this.#source.read(buffer, 0, buffer.length);
      if (count === 0) return;
      this.taken += count;
      this.#spool?.add(buffer.subarray(0, count));
      yield buffer.subarray(0, count);
    }
  }
}

/**
 * Holds a whole packed stream to the limits of containers.
 * @throws LimitReached
 */
export function checkUnpacked(limits: ContainerLimits, decoded: number, packed: number): void {
  checkRatio(limits, decoded, packed);
  if (decoded > limits.expandedBytes)
    throw new LimitReached('limit-size', `it unpacks to more than ${limits.expandedBytes} bytes`);
}

/** What a fault of reading or decoding means for the report. Anything else is a fault of the program. */
function gapOf(error: unknown): [GapReason, string] {
  if (error instanceof RunEnded) return ['limit-time', 'the scan was ended before all was read'];
  if (error instanceof LimitReached) return [error.reason, error.message];
  if (error instanceof NarScanError) {
    const detail = `${error.code}: ${error.message}`;
    if (error.code === 'COMPRESSION_TRUNCATED') return ['truncated', detail];
    if (error.code === 'COMPRESSION_MEMORY') return ['limit-memory', detail];
    if (error.code === 'COMPRESSION_UNSUPPORTED') return ['unsupported', detail];
    if (error.code.startsWith('COMPRESSION_')) return ['corrupt', detail];
    throw error;
  }
  const { code, syscall } = error as NodeJS.ErrnoException;
  if (code === undefined || syscall === undefined) throw error;
  return ['unreadable', `${code} at ${syscall}`];
}
