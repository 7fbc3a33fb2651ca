import { CONTENT } from '../../formats/magic.ts';
import type { RangeReader } from '../../formats/ranges.ts';
import type { Matcher } from '../../kernel/matcher.ts';
import type { ByteString } from '../../model/bytes.ts';
import { LIMITS } from '../../model/limits.ts';
import type { NeedleSet } from '../../needles/compile.ts';
import { ContentInspector, isBinary, MemoryRange } from '../contentInspector.ts';
import { NO_FACTS, type ContentFacts } from '../local.ts';
import { Classifier } from '../rules/classify.ts';
import { Window } from '../window.ts';
import { checkRatio, type Budget } from './budget.ts';
import type { Source } from './bytes.ts';
import { ContainerReading } from './containerReading.ts';
import { Covered } from './covered.ts';
import { FactBag } from './facts.ts';
import { Feed } from './feed.ts';
import { gapOfFault } from './gaps.ts';
import { openable } from './keptBytes.ts';
import { isTrailing, type InspectContent, type Nested, type Open } from './open.ts';
import { openerOf } from './openers.ts';
import { Parts } from './parts.ts';
import { HEAD_BYTES, Passing } from './passing.ts';
import type { Spools } from './spool.ts';

/** What inspects the contents of one depth. */
interface Level {
  readonly window: Window;
  readonly inspector: ContentInspector;
}

/**
 * Opens what contents hold, and what that holds in turn, down to the depth of the budget. Each
 * depth has a window of its own, for the contents of all depths are open at once: what is unpacked
 * is searched as it passes and given on to what unpacks it further.
 */
export class ContainerInspector {
  readonly #matcher: Matcher;
  readonly #set: NeedleSet;
  readonly #reading: ContainerReading;
  readonly #parts: Parts;
  readonly #spools: Spools;
  readonly #levels: Level[] = [];

  /** @param matcher whose memory has room for the windows of all depths, see `windowsBytes` */
  constructor(matcher: Matcher, set: NeedleSet, spools: Spools) {
    this.#matcher = matcher;
    this.#set = set;
    this.#reading = new ContainerReading(set, new Classifier(set), this.#nested);
    this.#parts = new Parts(this.#reading);
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
      await this.#parts.open({ name, reader, depth, budget, bag, covered: new Covered() }, facts, false);
    } catch (error) {
      bag.gap(gapOfFault(error));
    }
    const all = bag.facts();
    return facts.digest === undefined ? all : { ...all, digest: facts.digest };
  }

  /** Inspects a content that comes as a stream, and opens it in turn. Never throws for what is read. */
  readonly #nested: InspectContent = async (name, stream, { depth: outer, budget }, { stored, packed }) => {
    const depth = outer + 1;
    const { window, inspector } = this.#level(depth);
    let decoded = 0;
    const take = (count: number): void => {
      decoded += count;
      if (stored) return budget.check();
      budget.expanded(count);
      checkRatio(budget.limits, decoded, packed());
    };
    const feed = new Feed(stream, take, budget.turns);
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
  };

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
        const ended = await this.#reading.read(open, kind, source, {
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
      const facts = openable(inspector.finish(name, head, reader()), passing.keptFrom);
      bag.own(facts);
      if (facts.opening !== undefined) {
        if (passing.complete) {
          const open: Open = { name, reader: reader(), depth, budget, bag, covered };
          if (follows !== null) await this.#parts.following(open, follows);
          await this.#parts.open(open, facts, streams);
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
      const classifier = new Classifier(this.#set);
      level = {
        window: new Window(this.#matcher, depth),
        inspector: new ContentInspector(this.#matcher, this.#set, classifier, { opens: true }),
      };
      this.#levels[depth] = level;
    }
    return level;
  }
}

/** What breaks off within a content that itself broke off is no fault of its own. */
function nestedOf(facts: ContentFacts, { failure }: Feed, bytes: number): Nested {
  if (failure === null) return { facts, failure: null, bytes };
  if (isTrailing(failure.error)) return { facts, failure: failure.error, bytes };
  const gaps = facts.gaps.filter(({ reason }) => reason !== 'truncated');
  return { facts: { ...facts, gaps }, failure: failure.error, bytes };
}
