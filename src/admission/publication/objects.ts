import { NarScanError } from '../../model/errors.ts';
import { LIMITS } from '../../model/limits.ts';
import { hashPartOf } from '../../nix/storePath.ts';
import { answerLine, done } from '../answers.ts';
import type { Answer, PublishedPath } from '../contracts.ts';
import { deleteFile } from '../intake/deleteFile.ts';
import { Growth } from '../intake/growth.ts';
import { receiveSmall } from '../intake/small.ts';
import { JSON_TYPE, LOG_TYPE } from '../mediaTypes.ts';
import { Turns } from '../turns.ts';
import type { Body, Sender } from '../uploads.ts';
import { debugInfoText, parseDebugInfo } from './debugInfo.ts';
import { filesAmong } from './listing.ts';
import { parseObjectName } from './objectName.ts';
import type { PublicationParts } from './parts.ts';
import { parseRealisation } from './realisation.ts';
import { refusalOf } from './textAdmission.ts';

/** Bytes of UTF-8 for one character of a listing, at most. */
const CHARACTER_BYTES = 3;

/** Takes what clients send beside NARs and narinfos. Each has its first value for good. */
export class ObjectUploads {
  readonly #parts: PublicationParts;
  /** One listing at a time is read: they may be long. */
  readonly #listings = new Turns();

  constructor(parts: PublicationParts) {
    this.#parts = parts;
  }

  /** @throws NarScanError why it is not taken, where that is no ruling */
  async put(name: string, body: Body, sender: Sender): Promise<Answer> {
    const parsed = parseObjectName(name);
    switch (parsed?.kind) {
      case 'listing':
        return await this.#listing(body);
      case 'debuginfo':
        return await this.#debugInfo(name, body, sender);
      case 'log':
        return await this.#log(name, body, sender);
      case 'realisation':
        return await this.#realisation(name, parsed.id, body, sender);
      case undefined:
        return unknown(name);
    }
  }

  /** Ours is made of what is in the NAR: what the client says is received, as its protocol asks for, and dropped. */
  async #listing(body: Body): Promise<Answer> {
    const { spool } = this.#parts;
    const as = { most: LIMITS.unwantedListingBytes, growth: new Growth() };
    const { whole } = await spool.receive({ ...body, encoding: null }, as);
    await deleteFile((await whole).file);
    return done('the listing is made of the NAR itself');
  }

  async #log(name: string, body: Body, sender: Sender): Promise<Answer> {
    const text = await receiveSmall(body, LIMITS.logBytes);
    const caller = await sender();
    const first = await this.#parts.catalog.object(name);
    if (first !== null) return first.bytes.equals(text) ? done(`${name} is here already`) : conflict(name);
    return (await refusalOf(text, name, caller, this.#parts)) ?? (await this.#put(name, text, LOG_TYPE));
  }

  /** @param id that it must have; null: none */
  async #realisation(name: string, id: string | null, body: Body, sender: Sender): Promise<Answer> {
    const { catalog, settings } = this.#parts;
    const bytes = await receiveSmall(body, LIMITS.smallObjectBytes);
    const caller = await sender();
    const realisation = parseRealisation(bytes, id) ?? invalid(name, 'it is no realisation of that output');
    const { outPath, text } = realisation;
    const first = await catalog.object(name);
    if (first !== null) {
      // it may have other signatures
      const isSame = parseRealisation(first.bytes, id)?.outPath === outPath;
      return isSame ? done(`${name} is here already`) : conflict(name);
    }
    const storePath = `${settings.storeDir}/${outPath}`;
    const published = await catalog.published(hashPartOf(outPath) ?? '');
    if (published?.storePath !== storePath)
      throw new NarScanError('NARINFO_UNBOUND', `${name}: ${storePath} is not here`);
    const content = Buffer.from(text);
    return (
      (await refusalOf(content, name, caller, this.#parts)) ?? (await this.#put(name, content, JSON_TYPE))
    );
  }

  /** Comes before its NAR as a rule, and then waits for it. */
  async #debugInfo(name: string, body: Body, sender: Sender): Promise<Answer> {
    const { catalog } = this.#parts;
    const bytes = await receiveSmall(body, LIMITS.smallObjectBytes);
    await sender();
    const { narName, member } =
      parseDebugInfo(bytes) ?? invalid(name, 'it does not name a file in a NAR of this cache');
    if ((await catalog.publishedNar(narName)) === null) await catalog.awaitNar(narName, name, member);
    // it may have been published while this began to wait
    const published = await catalog.publishedNar(narName);
    if (published === null) return done(`${name} waits for ${narName}`);
    const isThere = await this.#listings.take('', async () => await this.#holds(published, member));
    if (!isThere) invalid(name, `${narName} has no such file`);
    // as Nix does: one place is as good as another
    await catalog.putObject(name, Buffer.from(debugInfoText({ narName, member })), JSON_TYPE);
    return done(`${name} is published`);
  }

  async #holds({ hashPart, isUninspected }: PublishedPath, member: string): Promise<boolean> {
    // what lies there may be the listing of another content
    if (isUninspected) return false;
    const object = await this.#parts.storage.get(`${hashPart}.ls`);
    if (object === null) return false;
    if (object.size > LIMITS.listingLength * CHARACTER_BYTES) {
      object.stream.destroy();
      return false;
    }
    const pieces: Uint8Array[] = [];
    for await (const piece of object.stream) pieces.push(piece as Uint8Array);
    return (await filesAmong(Buffer.concat(pieces).toString(), [member])).has(member);
  }

  async #put(name: string, content: Buffer, type: string): Promise<Answer> {
    const isFirst = await this.#parts.catalog.putObject(name, content, type);
    return isFirst ? done(`${name} is published`) : conflict(name);
  }
}

function unknown(name: string): Answer {
  return { status: 404, line: answerLine(`nar-scan: UPLOAD_NAME: '${name}' is no object of a binary cache`) };
}

function conflict(name: string): never {
  throw new NarScanError('PATH_PUBLISHED', `${name} is published with another value`);
}

function invalid(name: string, why: string): never {
  throw new NarScanError('OBJECT_INVALID', `${name}: ${why}`);
}
