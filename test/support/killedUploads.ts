import { randomBytes, randomInt } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { base32Encode } from '../../src/nix/base32.ts';
import type { NarInfo } from '../../src/nix/narinfo.ts';
import { CacheClient, SentOutput } from './cacheClient.ts';
import { directory, file, nar } from './narWriter.ts';

/** How far an upload has come. */
export const STAGES = [
  'before a NAR',
  'in the middle of a NAR',
  'a NAR was sent',
  'between NAR and narinfo',
  'a narinfo was sent',
] as const;
export type UploadStage = (typeof STAGES)[number];

/** An output that somebody tried to upload, and what of it was acknowledged. */
export interface Attempt {
  readonly output: SentOutput;
  readonly isLeaky: boolean;
  isNarAcknowledged: boolean;
  isAcknowledged: boolean;
}

const HASH_PART_BYTES = 20;
const PIECES = 8;

/** A store path that nobody has had before. */
export function newStorePath(storeDir: string, name: string): string {
  return `${storeDir}/${base32Encode(randomBytes(HASH_PART_BYTES))}-${name}`;
}

/** The NAR of a directory of noise, most of them small; what is given stands among it. */
export function noisyNar(text = ''): Buffer {
  const bytes = randomInt(8) === 0 ? randomInt(3_000_000) : randomInt(100_000);
  return nar(directory(['data', file(randomBytes(bytes).toString('base64'))], ['text', file(`${text}\n`)]));
}

/** Uploads one output after another until the server is gone, and keeps account of what it was told. */
export class KilledUploader {
  readonly attempts: Attempt[] = [];
  /** Answers that no client should get. */
  readonly wrong: string[] = [];
  stage: UploadStage = 'before a NAR';
  readonly #client: CacheClient;
  readonly #storeDir: string;
  readonly #home: string;
  readonly #reached: (stage: UploadStage) => void;

  /** @param reached is told of every stage */
  constructor(url: string, storeDir: string, home: string, reached: (stage: UploadStage) => void) {
    this.#client = new CacheClient(url);
    this.#storeDir = storeDir;
    this.#home = home;
    this.#reached = reached;
  }

  async run(): Promise<void> {
    try {
      for (;;) await this.#upload(this.#next());
    } catch {
      // the server was killed
    }
  }

  async #upload(attempt: Attempt): Promise<void> {
    const { output, isLeaky } = attempt;
    this.#at('before a NAR');
    const length = output.nar.length;
    const received = await this.#client.put(output.narName, this.#pieces(output.nar), length);
    if (received.status !== (isLeaky ? 403 : 200))
      this.wrong.push(`NAR: ${received.status} ${received.reason}`);
    if (received.status !== 200) return;
    attempt.isNarAcknowledged = true;
    this.#at('between NAR and narinfo');
    if (randomInt(2) === 0) await pause(randomInt(20));
    const text = output.narInfo;
    const published = await this.#client.put(output.narInfoName, this.#lastPiece(text), text.length);
    if (published.status !== 200) this.wrong.push(`narinfo: ${published.status} ${published.reason}`);
    else attempt.isAcknowledged = true;
  }

  #next(): Attempt {
    const isLeaky = randomInt(6) === 0;
    const before = this.attempts.findLast(({ isAcknowledged }) => isAcknowledged)?.output.storePath;
    const references = before === undefined || randomInt(2) === 0 ? [] : [before];
    const text = isLeaky ? `${this.#home}/src/x.c` : references.join(' ');
    const change: Partial<NarInfo> = { references };
    const output = new SentOutput(noisyNar(text), newStorePath(this.#storeDir, 'raw'), change);
    const attempt = { output, isLeaky, isNarAcknowledged: false, isAcknowledged: false };
    this.attempts.push(attempt);
    return attempt;
  }

  async *#pieces(bytes: Buffer): AsyncGenerator<Buffer> {
    const size = Math.ceil(bytes.length / PIECES);
    const isSlow = randomInt(4) === 0;
    for (let at = 0; at < bytes.length; at += size) {
      yield bytes.subarray(at, at + size);
      if (isSlow) await pause(randomInt(10));
      this.#at(at + size < bytes.length ? 'in the middle of a NAR' : 'a NAR was sent');
    }
  }

  *#lastPiece(bytes: Buffer): Generator<Buffer> {
    yield bytes;
    this.#at('a narinfo was sent');
  }

  #at(stage: UploadStage): void {
    this.stage = stage;
    this.#reached(stage);
  }
}
