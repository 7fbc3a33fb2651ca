import { streamOf } from '../container.ts';
import type { ContainerFault, ContainerItem } from '../container.ts';
import type { RangeReader } from '../ranges.ts';
import { descriptorEnd, disagreement } from './agreement.ts';
import { CentralDirectory } from './central.ts';
import type { BadEntry, CentralEntry } from './central.ts';
import { findDirectory } from './endRecord.ts';
import type { Directory } from './endRecord.ts';
import { corrupt, faultOf } from './faults.ts';
import { membersBetween } from './gap.ts';
import { FLAG, LOCAL_BYTES, readCentralLink, readLocalHeader } from './headers.ts';
import type { LocalHeader } from './headers.ts';
import { memberItems, nameFault } from './member.ts';
import type { Archive } from './member.ts';
import { survey } from './survey.ts';
import type { Survey } from './survey.ts';
import { Window } from './window.ts';

type Items<Result = void> = AsyncGenerator<ContainerItem, Result, undefined>;

/**
 * Reads a zip archive (PKWARE APPNOTE 6.3.10) by its central directory, in whose order members
 * come, and holds every local header, data descriptor and gap between members against it: what
 * another reader may see differently is a fault, and is read too where it can be. Each byte belongs
 * to one member only. Symbolic links have their target, at most LIMITS.zipTargetBytes of it.
 *
 * Something may stand before the archive. Without a central directory the local headers count. A
 * file that has neither yields nothing.
 *
 * @throws NarScanError CONTAINER_UNREADABLE where the reader does not have the bytes
 */
export async function* readZip(reader: RangeReader): Items {
  const archive: Archive = { reader, central: new Window(reader), window: new Window(reader) };
  const directory = findDirectory(archive.central);
  if (directory === null) {
    const count = yield* membersBetween(archive, 0, reader.size, true);
    if (count > 0) yield corrupt('there is no readable central directory', reader.size);
    return;
  }
  yield* directory.faults;
  yield* new Reading(archive, directory).items();
}

/**
 * What the offsets of an archive count from that may have something before it: there it begins, or
 * at 0 it is told where. Null where there is none, or none whose first entry leads to a member.
 */
export function zipBase(reader: RangeReader): number | null {
  const window = new Window(reader);
  const directory = findDirectory(window);
  if (directory === null) return null;
  const { start, end, base } = directory;
  const first = readCentralLink(window, start, end);
  return first === null || readLocalHeader(window, base + first.local) === null ? null : base;
}

/** One archive with a central directory, being read. */
class Reading {
  readonly #archive: Archive;
  readonly #directory: Directory;
  readonly #survey: Survey;
  /** Packed bytes of overlapping members that may yet be read twice: as many as the file has, once. */
  #spare: number;
  /** The directory leads nowhere at least once, so that it is no help in finding members. */
  #astray = false;

  constructor(archive: Archive, directory: Directory) {
    this.#archive = archive;
    this.#directory = directory;
    this.#survey = survey(archive.central, directory);
    this.#spare = archive.reader.size;
  }

  async *items(): Items {
    const { start, recordStart } = this.#directory;
    const { entries, end, starts, faults } = this.#survey;
    yield* faults;
    yield* this.#before(Math.min(starts.first, start));
    const central = new CentralDirectory(this.#archive.central, start, end, entries);
    for (let entry = await central.next(); entry !== null; entry = await central.next()) {
      if ('cause' in entry) yield badEntry(entry);
      else yield* this.#member(entry);
    }
    // What entries that were not understood point to.
    for (const at of starts.left()) yield* membersBetween(this.#archive, at, this.#limit(at), true);
    yield* this.#gap(end, recordStart);
    yield* this.#gap(recordStart, this.#archive.reader.size);
    yield* this.#behind();
    if (this.#astray) yield* membersBetween(this.#archive, 0, this.#archive.reader.size, true);
  }

  async *#member(entry: CentralEntry): Items {
    const { reader, window } = this.#archive;
    const { name } = entry;
    const at = this.#directory.base + entry.offset;
    if (!this.#survey.starts.take(at)) {
      yield corrupt('the entry leads to a member that another one has', at, name);
      return;
    }
    const limit = this.#limit(at);
    const local = readLocalHeader(window, at);
    if (local === null) {
      yield corrupt('no local header stands where the central directory says', at, name);
      this.#astray = true;
      return;
    }
    const { packed, method, flags, size, crc, mode } = entry;
    const available = Math.min(packed, Math.max(0, reader.size - local.data));
    const overlaps = local.data + packed > limit;
    const length = overlaps ? this.#lend(available, limit - local.data) : available;
    const data = { name, mode, offset: local.data, length, method, flags, size, crc, open: false };
    yield* memberItems(this.#archive, data);
    const wrongName = nameFault(data);
    if (wrongName !== null) yield wrongName;
    if (overlaps) yield corrupt('the member overlaps what follows it', at, name);
    const words = disagreement(local, entry);
    if (words !== null) {
      yield corrupt(`local header and central directory disagree: ${words}`, at, name);
      yield* membersBetween(this.#archive, at, limit, true);
      return;
    }
    const dataEnd = local.data + packed;
    const end = hasDescriptor(local) ? descriptorEnd(window, dataEnd, limit, entry) : dataEnd;
    if (end === null && !overlaps) yield corrupt('the data descriptor disagrees', dataEnd, name);
    yield* this.#gap(end ?? dataEnd, limit);
  }

  /** Where what begins at `at` ends at the latest. */
  #limit(at: number): number {
    const { start, recordStart } = this.#directory;
    const bound = at < start ? start : Math.max(at, recordStart);
    return Math.min(this.#survey.starts.after(at), bound);
  }

  /** How many bytes of an overlapping member are read: all as long as that is not much in all. */
  #lend(length: number, free: number): number {
    if (length > this.#spare) return Math.max(0, free);
    this.#spare -= length;
    return length;
  }

  async *#gap(from: number, to: number): Items {
    if (!this.#survey.whole || to - from < LOCAL_BYTES) return;
    yield* membersBetween(this.#archive, from, to, false);
  }

  /** Only a reader of the stream looks for members before the archive, and only at its very beginning. */
  async *#before(to: number): Items {
    const isRead = readLocalHeader(this.#archive.window, 0) !== null;
    if (this.#survey.whole) yield* membersBetween(this.#archive, 0, to, !isRead);
  }

  /** Padding behind the archive is none of its content, all else may be another's. */
  async *#behind(): Items {
    const { recordEnd } = this.#directory;
    const { reader } = this.#archive;
    for await (const piece of streamOf(reader, recordEnd)) {
      if (piece.every((byte) => byte === 0)) continue;
      yield corrupt(`${reader.size - recordEnd} bytes follow the end record`, recordEnd);
      return;
    }
  }
}

const hasDescriptor = (local: LocalHeader): boolean => (local.flags & FLAG.descriptor) !== 0;

function badEntry({ flags, at, cause }: BadEntry): ContainerFault {
  const isEncrypted = (flags & FLAG.strong) !== 0;
  return faultOf(isEncrypted ? 'encrypted' : 'corrupt', `central header: ${cause}`, at);
}
