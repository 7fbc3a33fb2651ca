import { CONTENT, sniffContent, type ContentKind } from '../../formats/magic.ts';
import type { ByteString } from '../../model/bytes.ts';
import { LIMITS } from '../../model/limits.ts';
import { unopened } from '../contentInspector.ts';
import type { ContentFacts } from '../local.ts';
import { firstNonZero, readAt, sourceOf, Subrange } from './bytes.ts';
import type { ContainerReading } from './containerReading.ts';
import type { Ended, Open } from './open.ts';
import { openerOf } from './openers.ts';
import { HEAD_BYTES } from './passing.ts';

/** Opens the parts of one content after another: which there are, in which order, and each once. */
export class Parts {
  readonly #reading: ContainerReading;

  constructor(reading: ContainerReading) {
    this.#reading = reading;
  }

  /** Opens everything that a content holds; `headDone`: but what it is by its first bytes. */
  async open(open: Open, { opening }: ContentFacts, headDone: boolean): Promise<void> {
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
      await this.following(open, ended);
    }
    if (opening.sections.length > 0) {
      const { elfSections } = await import('../../formats/elf/compressed.ts');
      await this.#reading.items(open, elfSections(reader, opening.sections), 0, null);
      for (const { offset, size } of opening.sections) open.covered.add(offset, offset + size);
    }
    // where what began it goes on up to the end, the last bytes are not for others
    const tail = open.covered.has(reader.size - 1) ? null : opening.tail;
    if (tail !== null) await this.#container(open, tail, 0, null, false);
    // the last one's reader looks for members of all that is before it
    if (tail !== 'zip') await this.#archives(open, opening.archiveEnds);
    for (const { kind, offset } of opening.embedded) {
      if (!open.covered.has(offset)) await this.#embedded(open, kind, offset);
    }
    if (opening.lostFrom !== null && !(await this.#lost(open, opening.lostFrom))) {
      const detail = `more than ${LIMITS.embeddedStreams} possible streams in its middle`;
      bag.gap({ reason: 'limit-entries', offset: null, detail });
    }
  }

  /**
   * Looks again for streams where the search has met too many to note them. The members of a long
   * archive that was read bring many: little is left between them. Resolves to whether all were opened.
   */
  async #lost(open: Open, from: number): Promise<boolean> {
    const { reader, covered } = open;
    const unread = covered.between(from, reader.size);
    const bytes = unread.reduce((sum, [start, end]) => sum + end - start, 0);
    if (bytes === 0) return true;
    if (bytes > LIMITS.searchedAgainBytes) return false;
    const { searchAgain } = await import('./searchAgain.ts');
    const ends: number[] = [];
    let tries = 0;
    for (const [start, end] of unread) {
      for (const found of searchAgain(reader, start, end)) {
        if (covered.has(found.what === 'end' ? found.offset - 1 : found.offset)) continue;
        tries += 1;
        if (tries > LIMITS.embeddedStreams) return false;
        if (found.what === 'end') ends.push(found.offset);
        else await this.#embedded(open, found.kind, found.offset);
      }
    }
    await this.#archives(open, ends);
    return true;
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
  async following(open: Open, first: Ended): Promise<void> {
    const { reader } = open;
    let ended = first;
    for (let tries = 0; typeof ended === 'number' && tries < LIMITS.embeddedStreams; tries++) {
      const at: number = firstNonZero(reader, ended);
      if (at >= reader.size) return;
      const head: Uint8Array = readAt(reader, at, Math.min(HEAD_BYTES, reader.size - at));
      const kind = sniffContent(head, 0, head.length, reader.size - at);
      if (kind === null || !CONTENT[kind].container || open.covered.has(at)) return;
      ended = await this.#container(open, kind, at, `${kind}@${at}`, false);
    }
  }

  /** Opens what begins in the middle of the content: of all kinds only the first bytes of an image are no chance. */
  async #embedded(open: Open, kind: ContentKind, offset: number): Promise<void> {
    await this.#container(open, kind, offset, `${kind}@${offset}`, kind !== 'squashfs');
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
    const part = from === 0 ? reader : new Subrange(reader, from);
    const ended = await this.#reading.read(open, kind, sourceOf(part), { from, label, tentative });
    // what is read by its tables may have bytes that none of them names: its members alone are covered
    const opener = openerOf(kind);
    const isWhole = opener?.how !== 'random' || opener.whole;
    if (typeof ended === 'number' && isWhole) covered.add(from, from + ended);
    else if (ended === 'whole') covered.add(from, reader.size);
    return typeof ended === 'number' ? from + ended : ended;
  }
}
