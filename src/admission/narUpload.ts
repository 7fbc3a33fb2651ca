import { rename, stat } from 'node:fs/promises';
import { NarScanError } from '../model/errors.ts';
import type { GapReason } from '../model/facts.ts';
import { LIMITS } from '../model/limits.ts';
import { canBeWaived } from '../policy/baseline.ts';
import { answered, done } from './answers.ts';
import type { RefusedNar } from './catalog.ts';
import type { Answer, Caller, Inspected, ReceivedNar, Ruling } from './contracts.ts';
import type { DiskRoom } from './diskRoom.ts';
import { deleteFile } from './intake/deleteFile.ts';
import { FileHasher, fileHashOf } from './intake/fileHasher.ts';
import { Growth } from './intake/growth.ts';
import type { SpoolDirectory } from './intake/spool.ts';
import { readNarName } from './narName.ts';
import { outcomeOf } from './outcome.ts';
import type { PublicationParts } from './publication/parts.ts';
import { admits, mayPass, tellInSpite, uninspected } from './publication/ruled.ts';
import { Tally } from './tally.ts';
import { Turns } from './turns.ts';
import type { Body, NarUploads } from './uploads.ts';
import { refuseUnopened } from './unopened.ts';

/** What taking NARs works with. */
export interface NarUploadParts extends Pick<
  PublicationParts,
  'settings' | 'catalog' | 'inspector' | 'judge' | 'spool' | 'log'
> {
  readonly storage: Pick<PublicationParts['storage'], 'size'>;
  /** Where NARs wait for their narinfos; on the file system of the spool. */
  readonly received: SpoolDirectory;
  /** Of the spool. */
  readonly room: DiskRoom;
}

/** A NAR that has come as a whole. */
interface Arrived {
  readonly name: string;
  readonly file: string;
  readonly fileHash: string;
  readonly fileSize: number;
  /** For a fault of this machine, and the server is to let that pass. */
  readonly isUninspected: boolean;
  readonly caller: Caller;
  /** When it began to come, as `performance.now()` tells. */
  readonly began: number;
}

/** Takes NARs: what is admitted waits for its narinfo, what is not goes to the quarantine. */
export class NarReceiver implements NarUploads {
  readonly #parts: NarUploadParts;
  /** Two clients with the same NAR end with one. */
  readonly #turns = new Turns();
  readonly #tally: Tally;

  constructor(parts: NarUploadParts) {
    this.#parts = parts;
    this.#tally = new Tally(parts);
  }

  before(name: string, length: number | null, caller: Caller): Promise<Answer | null> {
    return answered(async () => {
      const { fileHash } = readNarName(name);
      const early = (await this.#there(name)) ?? (await this.#refusedBefore(fileHash, caller));
      if (early !== null) return early;
      const most = this.#most;
      if (length !== null && length > most)
        throw new NarScanError('UPLOAD_TOO_LARGE', `${name} has ${length} bytes; ${most} are taken`);
      if (!(await this.#parts.room.has(length ?? 0)))
        throw new NarScanError('UPLOAD_NO_ROOM', `there is no room for ${name}`);
      return null;
    }, this.#parts.log);
  }

  put(name: string, body: Body, caller: Caller): Promise<Answer> {
    return answered(async () => {
      const began = performance.now();
      const growth = new Growth();
      const announced = this.#parts.room.announce(body.length, growth);
      try {
        return await this.#taken(name, body, growth, { caller, began });
      } catch (error) {
        await this.#tally.tellFault(error, growth.length, began);
        throw error;
      } finally {
        announced[Symbol.dispose]();
      }
    }, this.#parts.log);
  }

  async #taken(
    name: string,
    body: Body,
    growth: Growth,
    by: Pick<Arrived, 'caller' | 'began'>,
  ): Promise<Answer> {
    const { spool, inspector } = this.#parts;
    const said = readNarName(name);
    const hasher = new FileHasher();
    const { file, whole } = await spool.receive(body, { most: this.#most, growth, hasher });
    try {
      const context = { homes: by.caller.homes, path: null };
      const inspecting = inspector.nar(file, name, context, growth, body.length);
      // of what never comes as a whole nobody asks what was found
      inspecting.catch(() => undefined);
      const { fileSize } = await whole;
      const computed = hasher.finish();
      if (computed !== null) refuseMisnamed(name, computed);
      const searched = await inspecting.catch((error: unknown) => ({ error }));
      const isUninspected = 'error' in searched;
      const fileHash =
        computed ?? (isUninspected ? null : hashOfUnpacked(searched, fileSize)) ?? (await fileHashOf(file));
      refuseMisnamed(name, fileHash);
      const inspected = isUninspected ? await this.#unsearched(file, name, searched.error) : searched;
      if (inspected.narHash === null) await refuseUnopened(file, name);
      else if (said.compression !== null && said.compression !== inspected.compression)
        throw new NarScanError('UPLOAD_NAME', `${name} is packed otherwise: ${inspected.compression}`);
      const arrived = { name, file, fileHash, fileSize, isUninspected, ...by };
      return await this.#turns.take(name, () => this.#judged(arrived, inspected));
    } finally {
      // where it was moved on, it is not there any more
      await deleteFile(file);
    }
  }

  /** What is known of a NAR that could not be searched: its content. @throws `cause`, where it may not pass */
  async #unsearched(file: string, name: string, cause: unknown): Promise<Inspected> {
    const { inspector, settings, spool } = this.#parts;
    if (!mayPass(cause, settings)) throw cause;
    const target = spool.fresh();
    try {
      const { compression, narHash, narSize } = await inspector.repack(file, name, target, this.#most);
      return { compression, narHash, narSize, facts: uninspected(name, null, narHash, cause) };
    } catch {
      // not even that
      throw cause;
    } finally {
      await deleteFile(target);
    }
  }

  async #judged(arrived: Arrived, inspected: Inspected): Promise<Answer> {
    const { name, file, fileHash, fileSize, isUninspected, caller, began } = arrived;
    const there = await this.#there(name);
    if (there !== null) return there;
    const { judge, settings } = this.#parts;
    const { narHash, narSize, compression, facts } = inspected;
    const subject = { storePath: null, narHash, references: null };
    // before the ruling: what is decided meanwhile makes that one of another judgement
    const judgedBy = await judge.judgedBy(caller);
    const ruling = await judge.rule(facts, subject, caller);
    if (narHash === null || !admits(ruling, isUninspected, settings)) {
      const { answer, id } = await judge.refuse(ruling, subject, { file, name }, caller);
      if (isLasting(ruling) && (id !== null || ruling.standing === 'denied')) {
        const refused = { fileHash, narHash, id, ...answer, judgedBy, at: Date.now() };
        await this.#remember(refused);
      }
      const isNone = narHash === null && ruling.standing === 'incomplete';
      await this.#tally.tell(isNone ? 'malformed' : outcomeOf(ruling), fileSize, began);
      return answer;
    }
    tellInSpite(ruling, subject, `${name} of ${caller.name} is taken`, this.#parts);
    const by = caller.name;
    await this.#receive({
      name,
      fileHash,
      fileSize,
      narHash,
      narSize,
      compression,
      file,
      by,
      at: Date.now(),
    });
    return done(`${name} is received, and served once its narinfo is admitted`);
  }

  /** Puts it where it waits. What lies there without the catalog knowing of it is swept at the next start. */
  async #receive(nar: ReceivedNar): Promise<void> {
    const { catalog, received } = this.#parts;
    const file = received.fresh();
    await rename(nar.file, file);
    try {
      await catalog.receive({ ...nar, file });
    } catch (error) {
      await deleteFile(file);
      throw error;
    }
  }

  /** The answer for what need not be sent again; null where it is not here. */
  async #there(name: string): Promise<Answer | null> {
    const { catalog, storage } = this.#parts;
    const received = await catalog.received(name);
    if (received !== null && (await sizeOf(received.file)) === received.fileSize) {
      // who is told so has as long as if they had sent it
      if (Date.now() - received.at > LIMITS.receivedRenewalMilliseconds)
        await catalog.receive({ ...received, at: Date.now() });
      return done(`${name} is received already`);
    }
    const published = await catalog.publishedNar(name);
    // what the storage has lost is put there again
    const isServed = published !== null && (await storage.size(name)) === published.fileSize;
    return isServed ? done(`${name} is published already`) : null;
  }

  /** The same refusal for the same bytes, as long as it would be judged as it was. */
  async #refusedBefore(fileHash: string, caller: Caller): Promise<Answer | null> {
    const { catalog, judge, settings } = this.#parts;
    if (settings.dryRun) return null;
    const refused = await catalog.refused(fileHash);
    if (refused === null || refused.judgedBy !== (await judge.judgedBy(caller))) return null;
    const { status, line } = refused;
    return { status, line };
  }

  get #most(): number {
    return this.#parts.settings.policy.admission.maxNar;
  }

  /** One that is forgotten is only searched anew when it comes again. */
  async #remember(refused: RefusedNar): Promise<void> {
    try {
      await this.#parts.catalog.refuse(refused);
    } catch (error) {
      this.#parts.log.error(error);
    }
  }
}

/** @throws NarScanError UPLOAD_HASH */
function refuseMisnamed(name: string, fileHash: string): void {
  if (fileHash !== readNarName(name).fileHash)
    throw new NarScanError('UPLOAD_HASH', `what came as ${name} has the hash ${fileHash}`);
}

/** FileHash of what is a NAR as it is, from its first byte to its last; null for all else. */
function hashOfUnpacked({ compression, narHash, narSize }: Inspected, fileSize: number): string | null {
  return compression === 'none' && narSize === fileSize ? narHash : null;
}

/** What may be otherwise the next time: a disk may be full, a file may not be read. */
const OF_THIS_MACHINE: ReadonlySet<GapReason> = new Set(['unreadable', 'limit-memory']);

/** Whether the same bytes would be ruled so again: not where something of this machine stood in the way. */
function isLasting({ standing, result }: Ruling): boolean {
  if (standing !== 'incomplete') return true;
  return result.gaps.every((gap) => canBeWaived(gap) && !OF_THIS_MACHINE.has(gap.reason));
}

/**
 * Forgets NARs whose narinfos never came.
 * @param now milliseconds since 1970
 * @returns how many
 * @throws NarScanError CATALOG_UNREADABLE, CATALOG_NOT_WRITTEN
 */
export async function expireReceived(
  { catalog, settings }: Pick<NarUploadParts, 'catalog' | 'settings'>,
  now: number,
): Promise<number> {
  const hours = settings.policy.admission.keepReceived;
  const files = await catalog.forgetReceived(now - hours * 3_600_000);
  for (const file of files) await deleteFile(file);
  return files.length;
}

async function sizeOf(file: string): Promise<number | null> {
  return await stat(file).then(
    ({ size }) => size,
    () => null,
  );
}
