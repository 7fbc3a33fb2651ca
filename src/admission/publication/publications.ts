import { NarScanError } from '../../model/errors.ts';
import { LIMITS } from '../../model/limits.ts';
import { answered, done } from '../answers.ts';
import type { Answer } from '../contracts.ts';
import { receiveSmall } from '../intake/small.ts';
import type { Body, Publications, Sender } from '../uploads.ts';
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

  narInfo(hashPart: string, body: Body, sender: Sender): Promise<Answer> {
    return this.#taken(body, () => this.#narInfos.put(hashPart, body, sender));
  }

  object(name: string, body: Body, sender: Sender): Promise<Answer> {
    return this.#taken(body, () => this.#objects.put(name, body, sender));
  }

  cacheInfo(body: Body): Promise<Answer> {
    return answered(() => this.#cacheInfo(body), this.#parts.log);
  }

  /** What is kept for good leaves the catalog and the audit trail their room, as NARs do. */
  async #taken({ length }: Body, act: () => Promise<Answer>): Promise<Answer> {
    return await answered(async () => {
      if (await this.#parts.room.has(length ?? 0)) return await act();
      throw new NarScanError('UPLOAD_NO_ROOM', 'there is no room for it');
    }, this.#parts.log);
  }

  /** The server has its own, but a client may find out here that it is of another store. */
  async #cacheInfo(body: Body): Promise<Answer> {
    const { storeDir } = this.#parts.settings;
    const text = (await receiveSmall(body, LIMITS.smallObjectBytes)).toString('latin1');
    const said = text.split('\n').filter((line) => line.startsWith(STORE_DIR));
    if (said.length === 1 && said[0] === STORE_DIR + storeDir) return done(`StoreDir is ${storeDir}`);
    throw new NarScanError('CACHE_STORE_DIR', `this cache is of ${storeDir}`);
  }
}

const STORE_DIR = 'StoreDir: ';
