import { decompress } from '../../formats/compression/decompress.ts';
import type { StreamCodec } from '../../formats/compression/codec.ts';
import type { ByteStream, ContainerItem, Member } from '../../formats/container.ts';
import { CONTENT, sniffContent, type ContentKind } from '../../formats/magic.ts';
import type { RangeReader } from '../../formats/ranges.ts';
import type { Matcher } from '../../kernel/matcher.ts';
import type { ByteString } from '../../model/bytes.ts';
import { NarScanError } from '../../model/errors.ts';
import { LIMITS } from '../../model/limits.ts';
import type { NeedleSet } from '../../needles/compile.ts';
import { ContentInspector, isBinary, MemoryRange, unopened } from '../contentInspector.ts';
import { NO_FACTS, type ContentFacts, type LocalGap } from '../local.ts';
import { inspectMemberName } from '../memberName.ts';
import { Classifier } from '../rules/classify.ts';
import type { HashKnowledge } from '../rules/storeAlias.ts';
import { inspectSymlink } from '../symlink.ts';
import { Window } from '../window.ts';
import { checkRatio, type Budget } from './budget.ts';
import { Counted, firstNonZero, sourceOf, Subrange, type Source } from './bytes.ts';
import { Covered } from './covered.ts';
import { FactBag, type Place } from './facts.ts';
import { Feed } from './feed.ts';
import { gapOfFault } from './gaps.ts';
import { innerName } from './innerName.ts';
import { openerOf, type Opener } from './openers.ts';
import { HEAD_BYTES, Passing } from './passing.ts';
import type { Spools } from './spool.ts';

/** What inspects the contents of one depth. */
interface Level {
  readonly window: Window;
  readonly inspector: ContentInspector;
}

/** A content that is being opened. */
interface Open {
  readonly name: ByteString;
  readonly reader: RangeReader;
  readonly depth: number;
  readonly budget: Budget;
  readonly bag: FactBag;
  readonly covered: Covered;
}

/** How a content was read to its end, or not. */
interface Nested {
  readonly facts: ContentFacts;
  /** What ended it before its time, or null. */
  readonly failure: unknown;
  readonly bytes: number;
}

/** Where a container that was read ended: an offset in what was given, `whole`, or null after a fault. */
type Ended = number | 'whole' | null;

/**
 * Opens what contents hold, and what that holds in turn, down to the depth of the budget. Each
 * depth has a window of its own, for the contents of all depths are open at once: what is unpacked
 * is searched as it passes and given on to what unpacks it further.
 */
export class ContainerInspector {
  readonly #matcher: Matcher;
  readonly #set: NeedleSet;
  readonly #hashes: HashKnowledge;
  readonly #names: Classifier;
  readonly #spools: Spools;
  readonly #levels: Level[] = [];

  /** @param matcher whose memory has room for the windows of all depths, see `windowsBytes` */
  constructor(matcher: Matcher, set: NeedleSet, hashes: HashKnowledge, spools: Spools) {
    this.#matcher = matcher;
    this.#set = set;
    this.#hashes = hashes;
    this.#names = new Classifier(set, hashes);
    this.#spools = spools;
  }

  /**
   * All facts about a content: those of its plain bytes, and those of everything it holds.
   *
   * @param name its path in the output; some kinds are told by it
   * @param facts what the search over the plain bytes gave
   * @param reader has all of the content, or what may have to be read again
   */
  async open(
    name: ByteString,
    facts: ContentFacts,
    reader: RangeReader,
    budget: Budget,
  ): Promise<ContentFacts> {
    return await this.#open(name, facts, reader, budget, 0);
  }

  async #open(
    name: ByteString,
    facts: ContentFacts,
    reader: RangeReader,
    budget: Budget,
    depth: number,
  ): Promise<ContentFacts> {
    if (facts.opening === undefined) return facts;
    const bag = new FactBag();
    bag.own(facts);
    try {
      await this.#parts({ name, reader, depth, budget, bag, covered: new Covered() }, facts, false);
    } catch (error) {
      bag.gap(gapOfFault(error));
    }
    return bag.facts();
  }

  /** Opens everything that a content holds; `headDone`: but what it is by its first bytes. */
  async #parts(open: Open, { opening }: ContentFacts, headDone: boolean): Promise<void> {
    if (opening === undefined) return;
    const { bag, budget, depth, reader } = open;
    if (depth >= budget.limits.depth) {
      for (const gap of unopened(opening)) bag.gap(gap);
      if (opening.head === null) {
        const [stream] = opening.embedded;
        const [end] = opening.tail === null ? opening.archiveEnds : [];
        const gap = (offset: number, kind: ContentKind): void => {
          bag.gap({ reason: 'limit-depth', offset, detail: `what may be a ${kind} stream was not opened` });
        };
        if (stream !== undefined) gap(stream.offset, stream.kind);
        if (end !== undefined) gap(end, 'zip');
      }
      return;
    }
    if (opening.head !== null && !headDone) {
      const ended = await this.#container(open, opening.head, 0, null, false);
      await this.#following(open, ended);
    }
    if (opening.sections.length > 0) {
      const { elfSections } = await import('../../formats/elf/compressed.ts');
      await this.#items(open, elfSections(reader, opening.sections), 0, null);
      for (const { offset, size } of opening.sections) open.covered.add(offset, offset + size);
    }
    // where what began it goes on up to the end, the last bytes are not for others
    const tail = open.covered.has(reader.size - 1) ? null : opening.tail;
    if (tail !== null) await this.#container(open, tail, 0, null, false);
    // the last one's reader looks for members of all that is before it
    if (tail !== 'zip') await this.#archives(open, opening.archiveEnds);
    for (const { kind, offset } of opening.embedded) {
      if (!open.covered.has(offset)) await this.#container(open, kind, offset, `${kind}@${offset}`, true);
    }
    // members of a long archive that was read bring many
    if (opening.lostFrom !== null && !open.covered.reaches(opening.lostFrom, reader.size)) {
      const detail = `more than ${LIMITS.embeddedStreams} possible streams in its middle`;
      bag.gap({ reason: 'limit-entries', offset: null, detail });
    }
  }

  /** Zip archives with something behind them. Those of programs stand one behind another. */
  async #archives(open: Open, ends: readonly number[]): Promise<void> {
    const { reader, bag, covered } = open;
    let next = reader.size;
    // from the last on, for an archive that is stored in another one comes before its end
    for (const end of ends.toReversed()) {
      if (end > reader.size || covered.has(end - 1)) continue;
      const { zipBase } = await import('../../formats/zip/zip.ts');
      const part = new Subrange(reader, 0, end);
      const from = zipBase(part);
      if (from === null) continue;
      if (end > next) {
        // read as often as there are records, what holds itself would never end
        bag.gap({ reason: 'corrupt', offset: from, detail: `archives up to ${end} overlap` });
        return;
      }
      next = from;
      await this.#container({ ...open, reader: part }, 'zip', from, `zip@${from}`, true);
    }
  }

  /** Containers that follow one another: a prefixed initrd, data behind an archive. */
  async #following(open: Open, first: Ended): Promise<void> {
    const { reader } = open;
    let ended = first;
    for (let tries = 0; typeof ended === 'number' && tries < LIMITS.embeddedStreams; tries++) {
      const at: number = firstNonZero(reader, ended);
      const head: Uint8Array | null =
        at >= reader.size ? null : reader.read(at, Math.min(HEAD_BYTES, reader.size - at));
      if (head === null) return;
      const kind = sniffContent(head, 0, head.length, reader.size - at);
      if (kind === null || !CONTENT[kind].container || open.covered.has(at)) return;
      ended = await this.#container(open, kind, at, `${kind}@${at}`, false);
    }
  }

  /**
   * Opens the container that begins at `from` and is called `label`.
   * @param tentative only its first bytes say that it is one: a failure before there is proof is no gap
   */
  async #container(
    open: Open,
    kind: ContentKind,
    from: number,
    label: ByteString | null,
    tentative: boolean,
  ): Promise<Ended> {
    const { reader, covered } = open;
    const opener = openerOf(kind);
    const part = from === 0 ? reader : new Subrange(reader, from);
    const ended = await this.#read(open, kind, opener, sourceOf(part), { from, label, tentative });
    // what is read by its tables may have bytes that none of them names: its members alone are covered
    if (typeof ended === 'number' && opener?.how !== 'random') covered.add(from, from + ended);
    else if (ended === 'whole') covered.add(from, reader.size);
    return typeof ended === 'number' ? from + ended : ended;
  }

  /** Reads a container, from a stream or by its tables. */
  async #read(
    open: Open,
    kind: ContentKind,
    opener: Opener | null,
    source: Source,
    at: { readonly from: number; readonly label: ByteString | null; readonly tentative: boolean },
  ): Promise<Ended> {
    const { bag } = open;
    const { from, label, tentative } = at;
    if (opener === null) {
      bag.gap({ reason: 'unsupported', offset: from, detail: `${kind} container cannot be opened` });
      return null;
    }
    if (opener.how === 'codec') return await this.#unpack(open, kind, opener.codec, source.stream(), at);
    let end: Ended = 'whole';
    if (opener.how === 'stream') {
      const readStream = await opener.load();
      const items = readStream(source.stream(), (offset) => {
        end = offset;
      });
      const sound = await this.#items(open, items, from, label, { tentative, inOrder: true });
      return sound ? end : null;
    }
    const readRandom = await opener.load();
    if (source.reader === null) throw new Error(`${kind} is read by its tables`);
    let known = false;
    const items = readRandom(source.reader, (offset) => {
      end = offset;
      known = true;
    });
    const sound = await this.#items(open, items, from, label, { tentative, inOrder: false });
    return sound && known ? end : null;
  }

  async #unpack(
    open: Open,
    kind: ContentKind,
    codec: StreamCodec,
    packed: ByteStream,
    { from, label, tentative }: { from: number; label: ByteString | null; tentative: boolean },
  ): Promise<Ended> {
    const counted = new Counted(packed);
    const name = label ?? innerName(open.name, kind);
    const decoded = decompress(codec, counted.stream());
    // the folders that it lies in may say what it is, too
    const path = label ?? open.name.slice(0, open.name.lastIndexOf('/') + 1) + name;
    const { facts, failure, bytes } = await this.#nested(path, decoded, open, false, () => counted.count);
    const place: Place = { label: name, offset: from, stored: false, section: null };
    const trailing = isTrailing(failure);
    const chance = tentative && failure !== null && !trailing && bytes < LIMITS.embeddedProofBytes;
    open.bag.part(place, chance ? { findings: facts.findings, gaps: [] } : facts);
    // brotli has no magic: what follows it may be anything, and no reader ever sees it
    if (failure !== null && !chance && (!trailing || kind === 'brotli')) {
      // the place of the fault is known in the packed bytes
      const gap = gapOfFault(failure);
      if (gap.offset === null) open.bag.part(place, { findings: [], gaps: [gap] });
      else open.bag.gap({ ...gap, offset: from + gap.offset });
    }
    if (trailing) return failure.offset;
    return failure === null ? 'whole' : null;
  }

  /**
   * Takes everything out of a container. Resolves to whether it was read without a fault.
   * @param how `inOrder`: members follow one another, and all before one has been read when it comes
   */
  async #items(
    open: Open,
    items: AsyncGenerator<ContainerItem, void, undefined>,
    from: number,
    label: ByteString | null,
    { tentative, inOrder } = { tentative: false, inOrder: false },
  ): Promise<boolean> {
    const { bag, budget } = open;
    const inner = label === null && from === 0 ? bag : new FactBag();
    let sound = true;
    let members = 0;
    let reached = from;
    const gap = (fault: LocalGap): void => {
      sound = false;
      if (!tentative || members > 0) inner.gap(fault);
    };
    try {
      for await (const item of items) {
        if (item.item === 'fault') {
          const { reason, offset, detail, member } = item;
          gap({
            reason,
            detail,
            ...(member === null ? { offset } : { offset: null, outerOffset: offset, container: [member] }),
          });
          budget.check();
          continue;
        }
        members++;
        budget.member();
        // the headers of an archive that breaks later were read, and begin no archives of their own
        if (inOrder && item.offset !== null) {
          open.covered.add(reached, from + item.offset);
          reached = from + item.offset;
        }
        const failure = await this.#member(open, item, inner, from);
        if (failure !== null) sound = false;
        budget.check();
      }
    } catch (error) {
      gap(gapOfFault(error));
    }
    if (inner !== bag) bag.part({ label, offset: from, stored: true, section: null }, inner.facts());
    return sound;
  }

  /** One member: its name, where it links to, and what it contains. Resolves to what failed, or null. */
  async #member(open: Open, member: Member, bag: FactBag, from: number): Promise<unknown> {
    const { name, type, target, offset, stored, contents } = member;
    const place: Place = { label: name, offset, stored, section: member.section === true ? name : null };
    if (member.section !== true) {
      const named = [...inspectMemberName(name, this.#set, this.#names)];
      if (type === 'symlink') named.push(...inspectSymlink(name, target, this.#set, this.#names));
      if (type === 'hardlink') named.push(...inspectMemberName(target, this.#set, this.#names));
      if (named.length > 0)
        bag.part({ ...place, offset: null, stored: false }, { findings: named, gaps: [] });
    }
    if (contents === null) return null;
    const size = member.packed ?? open.reader.size;
    const nested = await this.#nested(name, contents, open, stored, () => size);
    bag.part(place, nested.facts);
    if (nested.failure !== null) {
      // where it failed counts in the packed bytes of the member
      bag.part(
        { ...place, stored: false },
        { findings: [], gaps: [{ ...gapOfFault(nested.failure), offset: null }] },
      );
    }
    const taken = stored ? nested.bytes : member.packed;
    if (nested.failure === null && taken !== undefined && offset !== null) {
      open.covered.add(from + offset, from + offset + taken);
    }
    return nested.failure;
  }

  /** Inspects a content that comes as a stream, and opens it in turn. Never throws for what is read. */
  async #nested(
    name: ByteString,
    stream: ByteStream,
    { depth: outer, budget }: Open,
    stored: boolean,
    packed: () => number,
  ): Promise<Nested> {
    const depth = outer + 1;
    const { window, inspector } = this.#level(depth);
    let decoded = 0;
    const feed = new Feed(stream, (count) => {
      decoded += count;
      if (stored) return budget.check();
      budget.expanded(count);
      checkRatio(budget.limits, decoded, packed());
    });
    try {
      const { memory, start, size } = window;
      const count = await feed.take(memory, start, size);
      if (count === size) return await this.#long(name, feed, depth, budget);
      const facts = count === 0 ? NO_FACTS : inspector.whole(name, start, start + count);
      const reader = new MemoryRange(memory, start, count);
      const all = await this.#open(name, facts, reader, budget, depth);
      return nestedOf(all, feed, count);
    } finally {
      await feed.close();
    }
  }

  /** A content that is longer than its window, which is full of its beginning. */
  async #long(name: ByteString, feed: Feed, depth: number, budget: Budget): Promise<Nested> {
    const { window, inspector } = this.#level(depth);
    const head = Buffer.from(window.memory.subarray(window.start, window.start + HEAD_BYTES));
    const kind = inspector.kindOf(name, head);
    const opener = kind !== null && CONTENT[kind].container ? openerOf(kind) : null;
    const streams = opener !== null && opener.how !== 'random' && depth < budget.limits.depth;
    const keepAll = !streams && (opener !== null || isBinary(kind));
    const passing = new Passing(window, inspector, feed, this.#spools, { count: window.size, head, keepAll });
    try {
      const bag = new FactBag();
      const reader = (): RangeReader => passing.reader();
      const covered = new Covered();
      let follows: number | null = null;
      if (streams && kind !== null) {
        const open: Open = {
          name,
          reader: { size: Infinity, read: () => null },
          depth,
          budget,
          bag,
          covered,
        };
        const source: Source = { reader: null, stream: () => passing.stream() };
        const ended = await this.#read(open, kind, opener, source, {
          from: 0,
          label: null,
          tentative: false,
        });
        if (typeof ended === 'number') passing.keepBehind(ended);
        await passing.drain();
        if (ended !== null) covered.add(0, ended === 'whole' ? passing.size : ended);
        if (typeof ended === 'number') follows = Math.max(ended, passing.keptFrom);
      } else {
        await passing.drain();
      }
      const facts = inspector.finish(name, head, reader());
      bag.own(facts);
      if (facts.opening !== undefined) {
        if (passing.complete) {
          const open: Open = { name, reader: reader(), depth, budget, bag, covered };
          if (follows !== null) await this.#following(open, follows);
          await this.#parts(open, facts, streams);
        } else {
          const detail = `what it holds was not opened: more than ${LIMITS.spoolFileBytes} bytes to keep`;
          bag.gap({ reason: 'limit-memory', offset: null, detail });
        }
      }
      return nestedOf(bag.facts(), feed, passing.size);
    } finally {
      passing.close();
    }
  }

  #level(depth: number): Level {
    let level = this.#levels[depth];
    if (level === undefined) {
      const classifier = new Classifier(this.#set, this.#hashes);
      level = {
        window: new Window(this.#matcher, depth),
        inspector: new ContentInspector(this.#matcher, this.#set, classifier, { opens: true }),
      };
      this.#levels[depth] = level;
    }
    return level;
  }
}

/** Whether a stream was whole, and something else follows it. */
function isTrailing(failure: unknown): failure is NarScanError {
  return failure instanceof NarScanError && failure.code === 'COMPRESSION_TRAILING';
}

/** What breaks off within a content that itself broke off is no fault of its own. */
function nestedOf(facts: ContentFacts, { failure }: Feed, bytes: number): Nested {
  if (failure === null) return { facts, failure: null, bytes };
  if (isTrailing(failure.error)) return { facts, failure: failure.error, bytes };
  const gaps = facts.gaps.filter(({ reason }) => reason !== 'truncated');
  return { facts: { ...facts, gaps }, failure: failure.error, bytes };
}
