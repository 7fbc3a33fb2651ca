import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type ClientRequest, request } from 'node:http';
import { join } from 'node:path';
import { base32Encode } from '../../src/nix/base32.ts';
import { noise, token } from './narBytes.ts';
import { median } from './timing.ts';

const MiB = 1024 * 1024;

/** What the server is put under. */
export interface Load {
  readonly large: { readonly count: number; readonly bytes: number };
  readonly small: { readonly count: number; readonly bytes: number; readonly atOnce: number };
  readonly slowReaders: number;
  readonly slowWriters: number;
}

export interface LoadFigures {
  /** Medians of the time that one small upload takes, in milliseconds. */
  readonly idle: number;
  readonly busy: number;
  /** How many of the latter were through before the large ones were. */
  readonly busyCount: number;
  /** Megabytes a second of the large uploads together. */
  readonly megabytesPerSecond: number;
  /** VmHWM of the server in MiB. */
  readonly peakMiB: number;
  /** What clients saw that was not a success. */
  readonly errors: readonly string[];
}

/** A NAR of one file whose bytes depend on a number, told piece by piece: nothing of it lies anywhere. */
export class NumberedNar {
  readonly #head: Buffer;
  readonly #tail: Buffer;
  readonly #block: Buffer;
  readonly #bytes: number;
  readonly size: number;
  readonly hash: string;

  constructor(number: number, bytes: number, block: Buffer) {
    this.#bytes = bytes;
    this.#block = block;
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(bytes));
    const tokens = ['nix-archive-1', '(', 'type', 'regular', 'contents'].map(token);
    this.#head = Buffer.concat([...tokens, length, Buffer.from(String(number).padStart(16, '0'), 'latin1')]);
    this.#tail = Buffer.concat([Buffer.alloc((8 - (bytes % 8)) % 8), token(')')]);
    this.size = this.#head.length - 16 + bytes + this.#tail.length;
    const hash = createHash('sha256');
    for (const piece of this.pieces()) hash.update(piece);
    this.hash = base32Encode(hash.digest());
  }

  get name(): string {
    return `nar/${this.hash}.nar`;
  }

  *pieces(): Generator<Buffer> {
    yield this.#head;
    for (let left = this.#bytes - 16; left > 0; left -= this.#block.length) {
      yield this.#block.subarray(0, Math.min(left, this.#block.length));
    }
    yield this.#tail;
  }

  /** The narinfo of a store path that holds it. @param number makes up the hash part */
  narInfo(number: number): { readonly name: string; readonly text: string } {
    const hashPart = String(number).padStart(32, '0');
    const fields = {
      StorePath: `/nix/store/${hashPart}-load`,
      URL: this.name,
      Compression: 'none',
      FileHash: `sha256:${this.hash}`,
      FileSize: this.size,
      NarHash: `sha256:${this.hash}`,
      NarSize: this.size,
      References: '',
    };
    const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\n`);
    return { name: `${hashPart}.narinfo`, text: lines.join('') };
  }
}

/** Puts a server under load, and watches what its clients see. @param pid its process */
export async function underLoad(port: number, pid: number, load: Load): Promise<LoadFigures> {
  const errors: string[] = [];
  const block = noise(MiB);
  const client = new Client(port, errors);
  const idleCount = Math.min(200, load.small.count >> 2);
  // the same number at once with and without the load, from a process that has nothing else to do
  const idle = await smallUploads(port, { ...load.small, count: idleCount }, 0, errors);

  const readable = new NumberedNar(1e9, 20 * MiB, block);
  await client.put(readable.name, readable.size, readable.pieces());
  const { name, text } = readable.narInfo(1);
  await client.put(name, text.length, [Buffer.from(text)]);

  using slow = new DisposableStack();
  for (let index = 0; index < load.slowReaders; index++) slow.use(client.readSlowly(readable.name));
  for (let index = 0; index < load.slowWriters; index++) {
    slow.use(client.writeSlowly(new NumberedNar(2e9 + index, MiB, block)));
  }
  const largeNars = Array.from(
    { length: load.large.count },
    (_, index) => new NumberedNar(3e9 + index, load.large.bytes, block),
  );
  const began = performance.now();
  const busyCount = load.small.count - idleCount;
  const small = smallUploads(port, { ...load.small, count: busyCount }, idleCount, errors);
  await Promise.all(largeNars.map((nar) => client.put(nar.name, nar.size, nar.pieces())));
  const seconds = (performance.now() - began) / 1000;
  const ended = Date.now();
  // what came when the large ones were through met no load
  const busy = (await small).filter(({ at }) => at < ended);
  return {
    idle: median(idle.map(({ milliseconds }) => milliseconds)),
    busy: median(busy.map(({ milliseconds }) => milliseconds)),
    busyCount: busy.length,
    megabytesPerSecond: (load.large.count * load.large.bytes) / 1e6 / seconds,
    peakMiB: highWater(pid),
    errors,
  };
}

/** When an upload was through, and how long it took. */
export interface SmallUpload {
  readonly at: number;
  readonly milliseconds: number;
}

async function smallUploads(
  port: number,
  { count, bytes, atOnce }: Load['small'],
  from: number,
  errors: string[],
): Promise<readonly SmallUpload[]> {
  const script = join(import.meta.dirname, 'smallUploads.ts');
  const words = [port, from, count, bytes, atOnce].map(String);
  const child = spawn(process.execPath, [script, ...words], { stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  child.stdout.on('data', (piece: Buffer) => (said += piece.toString()));
  await new Promise((resolve) => child.once('close', resolve));
  const told = JSON.parse(said) as { uploads: readonly SmallUpload[]; errors: readonly string[] };
  errors.push(...told.errors);
  return told.uploads;
}

/** A client of the server: one connection a request. */
export class Client {
  readonly #port: number;
  readonly #errors: string[];

  constructor(port: number, errors: string[]) {
    this.#port = port;
    this.#errors = errors;
  }

  /** @returns milliseconds until the answer was there */
  async put(path: string, size: number, pieces: Iterable<Buffer>): Promise<number> {
    const began = performance.now();
    const sent = this.#open('PUT', path, { 'content-length': size });
    const answered = new Promise<string>((resolve) => {
      sent.on('response', (response) => {
        response.resume();
        response.on('end', () => resolve(`${response.statusCode} ${response.statusMessage}`));
        response.on('error', (error) => resolve(error.message));
      });
      sent.on('error', (error) => resolve(error.message));
    });
    for (const piece of pieces) {
      if (sent.destroyed) break;
      if (!sent.write(piece)) {
        await Promise.race([answered, new Promise((resolve) => sent.once('drain', resolve))]);
      }
    }
    sent.end();
    const answer = await answered;
    if (!answer.startsWith('200')) this.#errors.push(`PUT ${path}: ${answer}`);
    return performance.now() - began;
  }

  /** Reads a little every now and then. */
  readSlowly(path: string): Disposable {
    const sent = this.#open('GET', path, {});
    let timer: NodeJS.Timeout | undefined;
    sent.on('response', (response) => {
      if (response.statusCode !== 200) this.#errors.push(`GET ${path}: ${response.statusCode}`);
      response.on('error', () => undefined);
      timer = setInterval(() => response.read(16 * 1024), 100);
    });
    return this.#endless(sent, 'a slow reader', () => clearInterval(timer));
  }

  /** Sends 4 KB a second. */
  writeSlowly(nar: NumberedNar): Disposable {
    const sent = this.#open('PUT', nar.name, { 'content-length': nar.size });
    const [head = Buffer.alloc(0), piece = Buffer.alloc(0)] = nar.pieces();
    sent.write(head);
    sent.on('response', (response) => {
      response.resume();
      this.#errors.push(`a slow writer was answered ${response.statusCode} ${response.statusMessage}`);
    });
    let at = 0;
    const timer = setInterval(() => {
      if (at < piece.length - 1024) sent.write(piece.subarray(at, (at += 1024)));
    }, 250);
    return this.#endless(sent, 'a slow writer', () => clearInterval(timer));
  }

  #endless(sent: ClientRequest, who: string, stop: () => void): Disposable {
    let isOver = false;
    sent.on('error', (error) => {
      if (!isOver) this.#errors.push(`${who}: ${error.message}`);
    });
    return {
      [Symbol.dispose]: () => {
        isOver = true;
        stop();
        sent.destroy();
      },
    };
  }

  #open(method: string, path: string, headers: Readonly<Record<string, number>>): ClientRequest {
    const sent = request({
      host: '127.0.0.1',
      port: this.#port,
      method,
      path: `/${path}`,
      headers,
      agent: false,
    });
    if (method === 'GET') sent.end();
    return sent;
  }
}

function highWater(pid: number): number {
  const line = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'));
  return Number(line?.[1] ?? Number.NaN) / 1024;
}
