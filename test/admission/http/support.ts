import { once } from 'node:events';
import type { Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { pino } from 'pino';
import type { Callers } from '../../../src/admission/callers.ts';
import type { Catalog } from '../../../src/admission/catalog.ts';
import type { PublishedPath } from '../../../src/admission/contracts.ts';
import { Door } from '../../../src/admission/http/door.ts';
import { serveCache } from '../../../src/admission/http/cacheRoutes.ts';
import { tellHealth, type Need } from '../../../src/admission/http/health.ts';
import { bareServer } from '../../../src/admission/http/server.ts';
import { UnderWay } from '../../../src/admission/http/underWay.ts';
import { takeUploads } from '../../../src/admission/http/uploadRoutes.ts';
import type { Storage } from '../../../src/admission/storage.ts';
import type { Body, NarUploads, Publications } from '../../../src/admission/uploads.ts';
import { refuseUndocumented } from '../../support/documentedAnswers.ts';

/** Lets everybody do everything, but who says so by a header. */
const everybody: Callers = {
  pass: async ({ headers }) =>
    headers['x-refused'] === undefined
      ? { caller: { name: 'everybody', scopes: new Set(['read', 'push']), homes: [] }, refusal: null }
      : {
          caller: null,
          name: null,
          refusal: { status: 401, line: 'nar-scan: who are you?' },
          headers: { 'www-authenticate': 'Basic realm="nar-scan"' },
        },
};

export interface Parts {
  readonly catalog?: Partial<Catalog>;
  readonly storage?: Partial<Storage>;
  readonly uploads?: Partial<NarUploads>;
  readonly publications?: Partial<Publications>;
  readonly needs?: readonly Need[];
  readonly anonymousRead?: boolean;
}

/** A server that listens on a free port, of parts that are made up. */
export class TestServer implements AsyncDisposable {
  readonly server: Server;
  readonly lines: Record<string, unknown>[] = [];
  readonly lost: string[] = [];
  readonly #app: FastifyInstance;

  private constructor(parts: Parts) {
    const log = pino({ level: 'info' }, { write: (line) => void this.lines.push(JSON.parse(line)) });
    const door = new Door(everybody);
    const app = bareServer(log, door, () => undefined);
    void app.register(async (scope) => {
      serveCache(scope, {
        storeDir: '/nix/store',
        anonymousRead: parts.anonymousRead ?? true,
        catalog: {
          published: async () => null,
          publishedNar: async () => null,
          object: async () => null,
          ...parts.catalog,
        } as Catalog,
        storage: { get: async () => null, size: async () => null, ...parts.storage } as Storage,
        door,
        lost: (name) => void this.lost.push(name),
      });
      takeUploads(scope, {
        uploads: { before: async () => null, ...parts.uploads } as NarUploads,
        publications: parts.publications as Publications,
        underWay: new UnderWay(),
        door,
      });
    });
    tellHealth(app, parts.needs ?? [], () => undefined);
    this.server = app.server;
    this.#app = app;
  }

  static async start(parts: Parts = {}): Promise<TestServer> {
    const server = new TestServer(parts);
    await server.#app.ready();
    server.server.listen(0, '127.0.0.1');
    await once(server.server, 'listening');
    return server;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** What comes back for these bytes, until the server ends the connection or `isEnough`. */
  async raw(
    request: string | readonly string[],
    isEnough: (text: string) => boolean = () => false,
  ): Promise<string> {
    const socket = await this.connection();
    let text = '';
    socket.on('data', (piece: Buffer) => {
      text += piece.toString('latin1');
      if (isEnough(text)) socket.destroy();
    });
    socket.on('error', () => undefined);
    for (const piece of [request].flat()) socket.write(piece, 'latin1');
    if (!socket.destroyed) await once(socket, 'close');
    return text;
  }

  async connection(): Promise<Socket> {
    const socket = connect(this.port, '127.0.0.1');
    await once(socket, 'connect');
    return socket;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await this.#app.close();
    refuseUndocumented(this.lines);
  }
}

/** Reads a body to its end and says how much it was. */
export async function drained({ stream }: Body): Promise<number> {
  let bytes = 0;
  for await (const piece of stream) bytes += (piece as Buffer).length;
  return bytes;
}

export const PUBLISHED: PublishedPath = {
  hashPart: '0123456789abcdfghijklmnpqrsvwxyz',
  storePath: '/nix/store/0123456789abcdfghijklmnpqrsvwxyz-hello',
  narInfo: 'StorePath: /nix/store/0123456789abcdfghijklmnpqrsvwxyz-hello\n',
  narName: `nar/${'1'.repeat(52)}.nar.xz`,
  narHash: `sha256:${'0'.repeat(52)}`,
  narSize: 20,
  fileHash: `sha256:${'1'.repeat(52)}`,
  fileSize: 10,
  verdict: 'clean',
  isUninspected: false,
  rules: 'rules',
  by: 'noamyr',
  at: 0,
};
