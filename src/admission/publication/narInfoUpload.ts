import { NarScanError } from '../../model/errors.ts';
import { LIMITS } from '../../model/limits.ts';
import { type NarInfo, parseNarInfo } from '../../nix/narinfo.ts';
import { fingerprint } from '../../nix/signature.ts';
import { done } from '../answers.ts';
import { isSamePath } from '../catalog.ts';
import type { Admission, Answer, Caller, PublishedPath } from '../contracts.ts';
import { receiveSmall } from '../intake/small.ts';
import { isAdmitted, outcomeOf } from '../outcome.ts';
import type { Body, Sender } from '../uploads.ts';
import { bind, bindPath, type Bound, narNameOf } from './bind.ts';
import type { PublicationParts } from './parts.ts';
import { isPublished, publish, publishAgain } from './publish.ts';
import { admits, ruledUnseen, tellInSpite } from './ruled.ts';
import { search } from './search.ts';
import { Tally } from '../tally.ts';
import { Turns } from '../turns.ts';
import { checkSignatures, signed } from './vouching.ts';
import { type NarAtHand, narAtHand } from './workFile.ts';

interface Upload {
  readonly hashPart: string;
  readonly bytes: Buffer;
  readonly info: NarInfo;
  readonly caller: Caller;
}

interface Judged {
  readonly answer: Answer;
  readonly outcome: Admission['outcome'];
}

/** Takes narinfos: with one a NAR that was received becomes a store path that is served, or does not. */
export class NarInfoUploads {
  readonly #parts: PublicationParts;
  /** Of a path one upload is dealt with at a time. */
  readonly #paths = new Turns();
  readonly #tally: Tally;

  constructor(parts: PublicationParts) {
    this.#parts = parts;
    this.#tally = new Tally(parts);
  }

  /** @throws NarScanError why it is not published, where that is no ruling */
  async put(hashPart: string, body: Body, sender: Sender): Promise<Answer> {
    const bytes = await receiveSmall(body, LIMITS.narInfoBytes);
    const caller = await sender();
    const began = performance.now();
    try {
      return await this.#taken({ hashPart, bytes, caller });
    } catch (error) {
      await this.#tally.tellFault(error, bytes.length, began);
      throw error;
    }
  }

  async #taken({ hashPart, bytes, caller }: Omit<Upload, 'info'>): Promise<Answer> {
    const info = parseNarInfo(bytes, this.#parts.settings.storeDir);
    bindPath(info, hashPart);
    const name = narNameOf(info);
    const upload = { hashPart, bytes, info, caller };
    return await this.#paths.take(hashPart, async () => {
      const published = await this.#parts.catalog.published(hashPart);
      if (published !== null) {
        const isSame = isSamePath(published, info);
        // what a dry run let in gives way to what is admitted
        if (!isSame && isAdmitted(published.verdict, published.isUninspected))
          throw isPublished(published, info);
        if (isSame && (await this.#isStored(published))) return await this.#again(upload, published);
      }
      return await this.#first(upload, name);
    });
  }

  async #first(upload: Upload, name: string): Promise<Answer> {
    const { hashPart, info } = upload;
    const began = performance.now();
    await using nar = await narAtHand(name, this.#parts);
    if (nar === null) throw new NarScanError('NARINFO_UNBOUND', `the narinfo: ${name} has not come`);
    const published = await this.#parts.catalog.publishedAmong(info.references);
    const bound = bind(info, nar, hashPart, published, this.#trusted);
    const { answer, outcome } = await this.#judged(upload, bound, nar);
    await this.#tally.tell(outcome, nar.fileSize, began);
    return answer;
  }

  async #judged(upload: Upload, bound: Bound, nar: NarAtHand): Promise<Judged> {
    const { judge, settings } = this.#parts;
    const { hashPart, bytes, caller } = upload;
    const { storePath, references } = bound.info;
    const said = { name: `${hashPart}.narinfo`, bytes };
    const { facts, listing, isUninspected, rules } = await search(
      nar,
      said,
      { storePath, references },
      caller,
      this.#parts,
    );
    const subject = { storePath, narHash: nar.narHash, references };
    const ruled = await judge.rule(facts, subject, caller);
    const ruling = isUninspected ? ruledUnseen(ruled) : ruled;
    const outcome = outcomeOf(ruling);
    if (!admits(ruling, isUninspected, settings)) {
      const { answer } = await judge.refuse(ruling, subject, { file: nar.file, name: nar.name }, caller);
      return { answer, outcome };
    }
    tellInSpite(ruling, subject, `${storePath} of ${caller.name} is published`, this.#parts);
    const info = this.#signed(bound.info, bound.isVouched, caller);
    await publish({ hashPart, info, nar, listing, ruling, isUninspected, rules, caller }, this.#parts);
    return { answer: done(`${storePath} is published`), outcome: 'admitted' };
  }

  /** What is published stays as it is, but new signatures that are trusted are worth having. */
  async #again({ info, caller }: Upload, published: PublishedPath): Promise<Answer> {
    const before = parseNarInfo(Buffer.from(published.narInfo), this.#parts.settings.storeDir);
    // a signature is over the references, too: whoever may have things signed vouches for what they have sent
    if (fingerprint(info) !== fingerprint(before))
      throw new NarScanError('PATH_PUBLISHED', `${info.storePath} is published with other references`);
    const { trusted } = checkSignatures(info.signatures, before, this.#trusted);
    const signatures = [...new Set([...before.signatures, ...trusted])].toSorted();
    const after = this.#signed({ ...before, signatures }, trusted.length > 0, caller);
    const isMore = after.signatures.length > before.signatures.length;
    if (isMore && after.signatures.length <= LIMITS.narInfoSignatures)
      await publishAgain(published, after, this.#parts);
    return done(`${published.storePath} is published already`);
  }

  /** What the storage has lost is published anew. */
  async #isStored({ narName, fileSize }: PublishedPath): Promise<boolean> {
    return (await this.#parts.storage.size(narName)) === fileSize;
  }

  #signed(info: NarInfo, isVouched: boolean, { scopes }: Caller): NarInfo {
    const { signing } = this.#parts.keys;
    return signed(info, { signing, isVouched: isVouched || scopes.has('sign') });
  }

  /** The server's own key is one that no one else may sign with. */
  get #trusted(): PublicationParts['keys']['trusted'] {
    const { trusted, signing } = this.#parts.keys;
    return signing === null ? trusted : [...trusted, signing.publicKey];
  }
}
