import { NarScanError } from '../../model/errors.ts';
import { LIMITS } from '../../model/limits.ts';
import { answerLine, answerOf } from '../answers.ts';
import type { Answer, Caller } from '../contracts.ts';
import { receiveSmall } from '../intake/small.ts';
import type { Body, Publications } from '../uploads.ts';
import { NarInfoUploads } from './narInfoUpload.ts';
import { ObjectUploads } from './objects.ts';
import type { PublicationParts } from './parts.ts';

/** Takes what makes NARs reachable. Never rejects: what goes wrong is an answer, too. */
export class CachePublications implements Publications {
  readonly #parts: PublicationParts;
  readonly #narInfos: NarInfoUploads;
  readonly #objects: ObjectUploads;

  constructor(parts: PublicationParts) {
    this.#parts = parts;
    this.#narInfos = new NarInfoUploads(parts);
    this.#objects = new ObjectUploads(parts);
  }

  narInfo(hashPart: string, body: Body, caller: Caller): Promise<Answer> {
    return this.#answered(() => this.#narInfos.put(hashPart, body, caller));
  }

  object(name: string, body: Body, caller: Caller): Promise<Answer> {
    return this.#answered(() => this.#objects.put(name, body, caller));
  }

  cacheInfo(body: Body): Promise<Answer> {
    return this.#answered(() => this.#cacheInfo(body));
  }

  /** The server has its own, but a client may find out here that it is of another store. */
  async #cacheInfo(body: Body): Promise<Answer> {
    const { storeDir } = this.#parts.settings;
    const text = (await receiveSmall(body, LIMITS.smallObjectBytes)).toString('latin1');
    const said = text.split('\n').filter((line) => line.startsWith(STORE_DIR));
    if (said.length === 1 && said[0] === STORE_DIR + storeDir)
      return { status: 200, line: answerLine(`nar-scan: StoreDir is ${storeDir}`) };
    throw new NarScanError('CACHE_STORE_DIR', `this cache is of ${storeDir}`);
  }

  async #answered(act: () => Promise<Answer>): Promise<Answer> {
    try {
      return await act();
    } catch (error) {
      const answer = answerOf(error);
      if (answer.status >= 500) this.#parts.log.error(error);
      return answer;
    }
  }
}

const STORE_DIR = 'StoreDir: ';
