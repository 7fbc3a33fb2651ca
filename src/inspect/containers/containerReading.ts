import { decompress } from '../../formats/compression/decompress.ts';
import type { StreamCodec } from '../../formats/compression/codec.ts';
import type { ByteStream, ContainerItem, Member } from '../../formats/container.ts';
import type { ContentKind } from '../../formats/magic.ts';
import type { ByteString } from '../../model/bytes.ts';
import { LIMITS } from '../../model/limits.ts';
import type { NeedleSet } from '../../needles/compile.ts';
import type { LocalGap } from '../local.ts';
import { inspectMemberName } from '../memberName.ts';
import type { Classifier } from '../rules/classify.ts';
import { inspectSymlink } from '../symlink.ts';
import { Counted, type Source } from './bytes.ts';
import { FactBag, type Place } from './facts.ts';
import { gapOfFault } from './gaps.ts';
import { innerName } from './innerName.ts';
import { isTrailing, type Beginning, type Ended, type InspectContent, type Open } from './open.ts';
import { openerOf } from './openers.ts';

/** Reads one container: what it says of its members, and their contents through {@link InspectContent}. */
export class ContainerReading {
  readonly #set: NeedleSet;
  readonly #names: Classifier;
  readonly #inspect: InspectContent;

  /** @param names judges the names and targets of members */
  constructor(set: NeedleSet, names: Classifier, inspect: InspectContent) {
    this.#set = set;
    this.#names = names;
    this.#inspect = inspect;
  }

  /** Reads a container, from a stream or by its tables. */
  async read(open: Open, kind: ContentKind, source: Source, at: Beginning): Promise<Ended> {
    const { bag } = open;
    const { from, label, tentative } = at;
    const opener = openerOf(kind);
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
      const sound = await this.items(open, items, from, label, { tentative, inOrder: true });
      return sound ? end : null;
    }
    const readRandom = await opener.load();
    if (source.reader === null) throw new Error(`${kind} is read by its tables`);
    let known = false;
    const items = readRandom(source.reader, (offset) => {
      end = offset;
      known = true;
    });
    const sound = await this.items(open, items, from, label, { tentative, inOrder: false });
    return sound && known ? end : null;
  }

  async #unpack(
    open: Open,
    kind: ContentKind,
    codec: StreamCodec,
    packed: ByteStream,
    { from, label, tentative }: Beginning,
  ): Promise<Ended> {
    const counted = new Counted(packed);
    const name = label ?? innerName(open.name, kind);
    const decoded = decompress(codec, counted.stream());
    // the folders that it lies in may say what it is, too
    const path = label ?? open.name.slice(0, open.name.lastIndexOf('/') + 1) + name;
    const { facts, failure, bytes } = await this.#inspect(path, decoded, open, {
      stored: false,
      packed: () => counted.count,
    });
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
  async items(
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
    const nested = await this.#inspect(name, contents, open, { stored, packed: () => size });
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
}
