import { once } from 'node:events';
import { type IncomingMessage, type OutgoingHttpHeaders, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { narInfoText, type NarInfo } from '../../src/nix/narinfo.ts';
import { narInfoOf } from '../admission/publication/cache.ts';

/** An output as a client sends it, its NAR not packed. */
export class SentOutput {
  readonly nar: Buffer;
  readonly info: NarInfo;

  constructor(nar: Buffer, storePath: string, change: Partial<NarInfo> = {}) {
    this.nar = nar;
    this.info = narInfoOf(nar, storePath, change);
  }

  get storePath(): string {
    return this.info.storePath;
  }

  get hashPart(): string {
    return this.storePath.slice(this.storePath.lastIndexOf('/') + 1).slice(0, 32);
  }

  get narName(): string {
    return this.info.url;
  }

  get narInfoName(): string {
    return `${this.hashPart}.narinfo`;
  }

  get narInfo(): Buffer {
    return Buffer.from(narInfoText(this.info));
  }
}

/** What a server answered. */
export interface Answered {
  readonly status: number;
  readonly reason: string;
  readonly body: Buffer;
}

/** Speaks HTTP to a server, each request on a connection of its own. Rejects where that breaks off. */
export class CacheClient {
  readonly #url: string;
  readonly #headers: OutgoingHttpHeaders;

  /** @param url `http://127.0.0.1:40123` */
  constructor(url: string, headers: OutgoingHttpHeaders = {}) {
    this.#url = url;
    this.#headers = headers;
  }

  /** @param pieces are sent one after another, each when it is its turn */
  async put(name: string, pieces: Iterable<Uint8Array> | AsyncIterable<Uint8Array>, length: number | null) {
    return await this.ask('PUT', name, pieces, length === null ? {} : { 'content-length': length });
  }

  async putNar({ narName, nar }: SentOutput): Promise<Answered> {
    return await this.put(narName, [nar], nar.length);
  }

  async putNarInfo({ narInfoName, narInfo }: SentOutput): Promise<Answered> {
    return await this.put(narInfoName, [narInfo], narInfo.length);
  }

  /** Sends both, as clients do. @returns the answer to the narinfo, or to the NAR where that was not taken */
  async upload(output: SentOutput): Promise<Answered> {
    const answered = await this.putNar(output);
    return answered.status === 200 ? await this.putNarInfo(output) : answered;
  }

  async get(name: string): Promise<Answered> {
    return await this.ask('GET', name);
  }

  /** Statuses of GET and HEAD of everything that a client asks for of an output. */
  async statusesOf({ hashPart, narInfoName, narName }: SentOutput): Promise<readonly number[]> {
    const statuses: number[] = [];
    for (const name of [narInfoName, narName, `${hashPart}.ls`]) {
      for (const method of ['GET', 'HEAD']) statuses.push((await this.ask(method, name)).status);
    }
    return statuses;
  }

  async ask(
    method: string,
    name: string,
    pieces: Iterable<Uint8Array> | AsyncIterable<Uint8Array> = [],
    headers: OutgoingHttpHeaders = {},
  ): Promise<Answered> {
    const sent = request(`${this.#url}/${name}`, {
      method,
      headers: { ...this.#headers, ...headers },
      agent: false,
    });
    const { promise, resolve, reject } = Promise.withResolvers<Answered>();
    sent.on('error', reject);
    sent.on('response', (response) => void answerOf(response).then(resolve, reject));
    // where the answer comes first nobody waits for the rest
    const sending = async (): Promise<void> => {
      for await (const piece of pieces) {
        if (sent.destroyed) return;
        if (!sent.write(piece)) await Promise.race([once(sent, 'drain'), once(sent, 'close')]);
      }
      sent.end();
    };
    sending().catch(reject);
    return await promise;
  }
}

async function answerOf(response: IncomingMessage): Promise<Answered> {
  const body: Buffer[] = [];
  for await (const piece of response) body.push(piece as Buffer);
  const { statusCode: status = 0, statusMessage: reason = '' } = response;
  return { status, reason, body: Buffer.concat(body) };
}

/** A connection on which bytes are sent as they are. */
export class RawConnection implements Disposable {
  readonly socket: Socket;
  #text = '';

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (piece: Buffer) => (this.#text += piece.toString('latin1')));
    socket.on('error', () => undefined);
  }

  static async open(url: string): Promise<RawConnection> {
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname);
    await once(socket, 'connect');
    return new RawConnection(socket);
  }

  send(...pieces: readonly (string | Uint8Array)[]): void {
    for (const piece of pieces)
      this.socket.write(typeof piece === 'string' ? Buffer.from(piece, 'latin1') : piece);
  }

  /** The status and the reason that came, waiting for them; null where the connection ended without. */
  async answer(): Promise<{ readonly status: number; readonly reason: string } | null> {
    for (;;) {
      const text = this.#text.replace(/^HTTP\/1\.1 100 [^\r]*\r\n\r\n/, '');
      const [, status, reason = ''] = /^HTTP\/1\.1 (\d{3}) ?([^\r]*)\r\n/.exec(text) ?? [];
      if (status !== undefined) return { status: Number(status), reason };
      if (this.socket.closed) return null;
      await Promise.race([once(this.socket, 'data'), once(this.socket, 'close')]);
    }
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }
}
