import { createReadStream } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { LIMITS } from '../../model/limits.ts';
import { NarScanError } from '../../model/errors.ts';
import type { ByteRange, Storage, StoredContent, StoredObject } from '../storage.ts';
import { bytesOfRange, wholeSize } from './range.ts';
import { storageFault, unexpectedStatus } from './fault.ts';
import { partsOfName } from './names.ts';
import { HttpClient } from './httpClient.ts';

const TAKEN = new Set([200, 201, 204]);
/** What an HTTP cache answers for what is not there: S3 says 403 to who may not list. */
const MISSING = new Set([403, 404, 410]);
const INSUFFICIENT_STORAGE = 507;
/** An object that says that uploads are taken. */
const PROBE = 'nar-scan-probe';
const READ_BYTES = 256 * 1024;

/** Another HTTP cache as a storage, which takes uploads from this server alone. Redirects are not followed. */
export class UpstreamStorage implements Storage {
  readonly shown: string;
  readonly #base: URL;
  readonly #client: HttpClient;

  /**
   * @param base without user and password
   * @param authorization value of the header; null for none
   * @param milliseconds how long nothing may come from it
   */
  constructor(base: URL, authorization: string | null, milliseconds: number = LIMITS.upstreamMilliseconds) {
    this.shown = base.href;
    this.#base = new URL(base.pathname.endsWith('/') ? base : `${base.href}/`);
    this.#client = new HttpClient(this.#base, authorization, milliseconds);
  }

  async put(name: string, content: StoredContent, type: string): Promise<void> {
    const size = 'bytes' in content ? content.bytes.length : content.size;
    const headers = { 'content-type': type, 'content-length': size };
    const sent: Promise<void>[] = [];
    try {
      const answer = await this.#client.ask('PUT', this.#pathOf(name), headers, (request) => {
        const all = pipeline(readerOf(content), (read) => exactly(size, read), request);
        sent.push(all);
        return all;
      });
      await drained(answer);
      const { statusCode } = answer;
      if (statusCode === INSUFFICIENT_STORAGE)
        throw new NarScanError('STORAGE_FULL', `'${name}': the storage '${this.shown}' is full`);
      if (!TAKEN.has(statusCode ?? 0)) throw unexpectedStatus(statusCode);
      // who takes what was not sent to its end has something else
      await sent.at(-1);
    } catch (error) {
      throw storageFault(`'${name}' cannot be put into the storage '${this.shown}'`, error);
    }
  }

  async get(name: string, range?: ByteRange): Promise<StoredObject | null> {
    try {
      return await this.#get(name, range);
    } catch (error) {
      throw this.#unread(name, error);
    }
  }

  async size(name: string): Promise<number | null> {
    try {
      const answer = await this.#client.ask('HEAD', this.#pathOf(name));
      await drained(answer);
      if (MISSING.has(answer.statusCode ?? 0)) return null;
      if (answer.statusCode !== 200) throw unexpectedStatus(answer.statusCode);
      return wholeSize(answer);
    } catch (error) {
      throw this.#unread(name, error);
    }
  }

  async check(): Promise<void> {
    await this.put(PROBE, { bytes: Buffer.from('probe\n') }, 'text/plain');
  }

  async #get(name: string, range: ByteRange | undefined): Promise<StoredObject | null> {
    if (range !== undefined && range.start >= range.end) {
      const size = await this.size(name);
      return size === null ? null : { stream: Readable.from([]), size };
    }
    const headers = range === undefined ? {} : { range: `bytes=${range.start}-${range.end - 1}` };
    const answer = await this.#client.ask('GET', this.#pathOf(name), headers);
    if (MISSING.has(answer.statusCode ?? 0)) {
      await drained(answer);
      return null;
    }
    try {
      return bytesOfRange(answer, range);
    } catch (error) {
      answer.destroy();
      throw error;
    }
  }

  #pathOf(name: string): string {
    return this.#base.pathname + partsOfName(name).map(encodeURIComponent).join('/');
  }

  #unread(name: string, error: unknown): NarScanError {
    return storageFault(`'${name}' cannot be read from the storage '${this.shown}'`, error);
  }
}

function readerOf(content: StoredContent): Readable {
  if ('file' in content) return createReadStream(content.file, { highWaterMark: READ_BYTES });
  return Readable.from(content.bytes.length === 0 ? [] : [content.bytes]);
}

/** Fewer bytes than were announced would be waited for. */
async function* exactly(size: number, read: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let left = size;
  for await (const chunk of read) {
    left -= chunk.length;
    if (left < 0) break;
    yield chunk;
  }
  if (left !== 0) throw new Error(`it has not the ${size} bytes that it should have`);
}

/** Reads an answer to its end, so that its connection is used again; a long one costs more than a connection. */
async function drained(answer: IncomingMessage): Promise<void> {
  let read = 0;
  for await (const chunk of answer) {
    read += (chunk as Buffer).length;
    // ends the loop, which destroys the answer
    if (read > LIMITS.upstreamAnswerBytes) break;
  }
}
