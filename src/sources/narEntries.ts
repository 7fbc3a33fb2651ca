import type { ByteString } from '../model/bytes.ts';
import { planElf } from '../formats/elf/elf.ts';
import { planMacho } from '../formats/macho/macho.ts';
import { planPe } from '../formats/pe/pe.ts';
import type { NarHandler } from '../formats/nar/handler.ts';
import { CONTENT } from '../formats/magic.ts';
import type { RangeReader } from '../formats/ranges.ts';
import type { Budget } from '../inspect/containers/budget.ts';
import { KeptBytes, openable } from '../inspect/containers/keptBytes.ts';
import { isBinary, MemoryRange } from '../inspect/contentInspector.ts';
import type { ContentFacts, LocalGap } from '../inspect/local.ts';
import { StreamCapture } from '../inspect/streamCapture.ts';
import { inspectSymlink } from '../inspect/symlink.ts';
import type { FactSink } from './factSink.ts';
import type { Inspection } from './inspection.ts';
import type { Window } from '../inspect/window.ts';

/** Random access to what lies at [offset, offset + size) of the stream, or null where there is none. */
export type StreamRange = (offset: number, size: number) => RangeReader | null;

/**
 * Takes the contents of `entry` at [offset, offset + size) of the stream, to be read by somebody else
 * under `name`; or says that it does not.
 */
export type TakeContents = (entry: ByteString, name: ByteString, offset: number, size: number) => boolean;

/** Who is told of entries as they come, whatever is found in them. */
export type EntryObserver = Pick<NarHandler, 'directory' | 'symlink' | 'file'>;

/** A file of the NAR whose contents are not yet all there. */
interface OpenFile {
  readonly entry: ByteString;
  readonly size: number;
  left: number;
  /** What may be wanted again of a file that comes through a pipe. */
  kept: KeptBytes | null;
  /** What will tell the tables at the end; null until the first bytes of a file that spans chunks. */
  tables: {
    readonly head: Uint8Array;
    readonly reader: RangeReader;
    readonly capture: StreamCapture | null;
  } | null;
}

const HEAD_BYTES = 64 * 1024;

/** A file whose plain bytes were searched and that holds more. */
interface Waiting {
  readonly entry: ByteString;
  readonly facts: ContentFacts;
  readonly reader: RangeReader;
  readonly kept: KeptBytes | null;
}

/** Inspects the entries of one NAR as its parser names them; the chunks lie in the window. */
export class NarEntries implements NarHandler {
  readonly #window: Window;
  readonly #inspection: Inspection;
  readonly #sink: FactSink;
  readonly #range: StreamRange;
  readonly #rootName: ByteString;
  readonly #observer: EntryObserver | null;
  readonly #takes: TakeContents | null;
  #isElsewhere = false;
  #file: OpenFile | null = null;
  readonly #waiting: Waiting[] = [];
  /** Bytes of the stream that came before the present chunk. */
  #before = 0;

  /**
   * @param rootName what tells the kind of a root that is a file
   * @param takes where contents may be read elsewhere
   */
  constructor(
    window: Window,
    inspection: Inspection,
    sink: FactSink,
    range: StreamRange,
    rootName: ByteString = '',
    observer: EntryObserver | null = null,
    takes: TakeContents | null = null,
  ) {
    this.#window = window;
    this.#inspection = inspection;
    this.#sink = sink;
    this.#range = range;
    this.#rootName = rootName;
    this.#observer = observer;
    this.#takes = takes;
  }

  directory(path: ByteString): void {
    this.#entry(path, true);
    this.#observer?.directory(path);
  }

  symlink(path: ByteString, target: ByteString): void {
    this.#entry(path, false);
    this.#observer?.symlink(path, target);
    const { set, classifier } = this.#inspection;
    for (const finding of inspectSymlink(path, target, set, classifier)) this.#sink.finding(path, finding);
  }

  file(path: ByteString, executable: boolean, size: number, offset: number): void {
    this.#entry(path, false);
    this.#observer?.file(path, executable, size, offset);
    this.#sink.stats.files++;
    this.#isElsewhere = this.#takes?.(path, this.#nameOf(path), offset, size) === true;
    this.#file = this.#isElsewhere ? null : { entry: path, size, left: size, kept: null, tables: null };
  }

  elsewhere(): boolean {
    return this.#isElsewhere;
  }

  contents(chunk: Uint8Array, start: number, end: number): void {
    const file = this.#file;
    if (file === null) throw new Error('contents outside a file');
    const count = end - start;
    this.#sink.stats.bytes += count;
    file.left -= count;
    const { contents } = this.#inspection;
    if (file.tables === null && file.left === 0) {
      const facts = contents.whole(this.#nameOf(file.entry), start, end);
      if (facts.opening !== undefined) this.#wait(file, facts, this.#whole(chunk, start, end));
      else if (facts.findings.length > 0 || facts.gaps.length > 0) this.#sink.content(file.entry, facts);
      return;
    }
    if (file.tables === null) {
      file.tables = this.#openTables(file.size, chunk, start, end);
      contents.begin(start);
      const { reader, capture } = file.tables;
      // what lies in a file can be read again
      if (reader === capture && this.#inspection.opens) {
        const keepAll = this.#mayHold(
          this.#nameOf(file.entry),
          chunk.subarray(start, Math.min(end, start + HEAD_BYTES)),
        );
        file.kept = new KeptBytes(this.#inspection.spools, contents, keepAll);
      }
    }
    file.tables.capture?.feed(chunk, start, end);
    contents.extend(end, file.left === 0);
    file.kept?.take(chunk, start, end);
  }

  fileEnd(): void {
    const file = this.#file;
    this.#file = null;
    if (file === null || file.tables === null) return;
    const { head, reader, capture } = file.tables;
    const said = this.#inspection.contents.finish(this.#nameOf(file.entry), capture?.head ?? head, reader);
    const facts = file.kept === null ? said : openable(said, file.kept.from);
    if (facts.opening === undefined) {
      file.kept?.close();
      this.#sink.content(file.entry, facts);
      return;
    }
    // what was captured is overwritten by the next file
    this.#wait(file, facts, file.kept === null ? reader : file.kept.reader(file.size));
  }

  /** Whether files that have ended hold containers that wait for {@link open}. */
  get waits(): boolean {
    return this.#waiting.length > 0;
  }

  /** Opens the containers of the files that have ended; to be called after each chunk. */
  async open(budget: Budget): Promise<void> {
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      const { entry, facts, reader, kept } = next;
      const before = budget.expandedHere;
      try {
        if (kept === null || kept.complete) {
          const containers = await this.#inspection.containers();
          this.#sink.content(entry, await containers.open(this.#nameOf(entry), facts, reader, budget));
        } else {
          this.#sink.content(entry, facts);
          const detail = 'what it holds was not opened: too much of it would have to be kept';
          this.#sink.gap(entry, { reason: 'limit-memory', offset: null, detail });
        }
      } finally {
        this.#sink.stats.expandedBytes += budget.expandedHere - before;
        kept?.close();
      }
    }
  }

  /** A chunk begins, behind `before` bytes of the stream. */
  chunkBegin(before: number): void {
    this.#before = before;
  }

  /** Called when all of a chunk was parsed: an open file's last bytes stay at hand. */
  chunkEnd(): void {
    if (this.#file !== null && this.#file.tables !== null) this.#window.carry(this.#inspection.contents);
  }

  /** The stream broke off: what the open file gave so far counts, with a gap of its own. */
  broken(gap: LocalGap): void {
    const file = this.#file;
    this.#file = null;
    if (file === null) return;
    file.kept?.close();
    const { contents } = this.#inspection;
    const seen = file.size - file.left;
    const cut: LocalGap = { ...gap, offset: seen };
    if (file.tables === null) return this.#sink.gap(file.entry, cut);
    contents.extend(contents.end, true);
    this.#sink.content(file.entry, contents.broken(cut));
  }

  /** Tables are read at their place in a file of NARs, and kept in passing from a pipe. */
  #openTables(size: number, chunk: Uint8Array, start: number, end: number): NonNullable<OpenFile['tables']> {
    const reader = this.#range(this.#before + start - this.#window.start, size);
    if (reader !== null && end - start >= HEAD_BYTES) {
      return { head: Buffer.from(chunk.subarray(start, start + HEAD_BYTES)), reader, capture: null };
    }
    const capture = new StreamCapture(size, plan, this.#window.capture);
    return { head: capture.head, reader: reader ?? capture, capture };
  }

  /** The bytes of a file that lies whole in the chunk, as they will be at hand when it is opened. */
  #whole(chunk: Uint8Array, start: number, end: number): RangeReader {
    const reader = this.#range(this.#before + start - this.#window.start, end - start);
    if (reader !== null) return reader;
    const copy = Buffer.from(chunk.subarray(start, end));
    return new MemoryRange(copy, 0, copy.length);
  }

  #wait(file: OpenFile, facts: ContentFacts, reader: RangeReader): void {
    this.#waiting.push({ entry: file.entry, facts, reader, kept: file.kept });
  }

  /** Whether all of a file must be kept, by its first bytes. */
  #mayHold(name: ByteString, head: Uint8Array): boolean {
    const kind = this.#inspection.contents.kindOf(name, head);
    return kind !== null && (CONTENT[kind].container || isBinary(kind));
  }

  #nameOf(entry: ByteString): ByteString {
    return entry === '' ? this.#rootName : entry;
  }

  #entry(path: ByteString, isDirectory: boolean): void {
    this.#sink.stats.entries++;
    if (path === '') return;
    const slash = path.lastIndexOf('/');
    const parent = slash < 0 ? '' : path.slice(0, slash);
    const named = this.#inspection.names.inspect(parent, path.slice(slash + 1), isDirectory);
    if (named !== null) this.#sink.finding(path, named);
  }
}

function plan(head: Uint8Array, size: number): ReturnType<typeof planElf> {
  if (head[0] === 0x7f) return planElf(head, size);
  return head[0] === 0x4d ? planPe(head, size) : planMacho(head, size);
}
