import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { registerHomes } from '../../../src/guard/copy/homeRegistration.ts';

const HOMES = ['/home/noamyr', '/home/alice'];
const document = (homes: readonly string[]): string =>
  JSON.stringify({ schema: 'nar-scan/registered-homes-v1', homes });

type Answer = (request: IncomingMessage, response: ServerResponse, body: string) => void;

const says =
  (status: number, text = '', headers: Record<string, string> = {}): Answer =>
  (_, response) =>
    void response.writeHead(status, headers).end(text);

describe('homes of builders are told to a cache', () => {
  let server: Server;
  let asked: string[];
  let answer: Answer;

  beforeEach(async () => {
    asked = [];
    server = createServer((request, response) => {
      const pieces: Buffer[] = [];
      request.on('data', (piece: Buffer) => pieces.push(piece));
      request.on('end', () => {
        const { method, url, headers } = request;
        const body = Buffer.concat(pieces).toString();
        asked.push(
          [method, url, headers.authorization, body]
            .filter((part) => part !== undefined && part !== '')
            .join(' '),
        );
        answer(request, response, body);
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });

  const tell = async (path = '/', signal = new AbortController().signal): Promise<string | null> => {
    const cache = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`);
    return await registerHomes({ cache, authorization: 'Basic x', certificates: null, homes: HOMES }, signal);
  };

  it('whose server says that it is nar-scan’s, below the path of the cache', async () => {
    answer = ({ method }, response) =>
      void response.end(document(method === 'GET' ? ['/home/alice'] : HOMES));
    expect(await tell('/cache/?compression=zstd')).toBeNull();
    expect(asked).toEqual([
      'GET /cache/api/v1/homes Basic x',
      `POST /cache/api/v1/homes Basic x ${JSON.stringify({ homes: HOMES })}`,
    ]);
  });

  it('and to no other host that stands in its path', async () => {
    answer = says(200, document(HOMES));
    expect(await tell('//127.0.0.1:1/cache')).toBeNull();
    expect(asked).toEqual(['GET //127.0.0.1:1/cache/api/v1/homes Basic x']);
  });

  it('once: what it knows is not told again', async () => {
    answer = says(200, document([...HOMES, '/home/zoe']));
    expect(await tell()).toBeNull();
    expect(asked).toEqual(['GET /api/v1/homes Basic x']);
  });

  it.each<[string, Answer]>([
    ['knows no such path', says(404, 'no')],
    ['knows no such method', says(405)],
    ['cannot do it', says(501)],
    ['shows a page', says(200, '<html>')],
    ['tells something else', says(200, '{"homes":["/home/alice"]}')],
    ['tells of nothing', says(200, 'null')],
    ['tells too much', says(200, document(['x'.repeat(5 * 1024 * 1024)]))],
    ['says nothing', says(204)],
    ['sends elsewhere', says(307, '', { location: '/elsewhere' })],
  ])('and to none that %s', async (_, reply) => {
    answer = reply;
    expect(await tell()).toBeNull();
    expect(asked).toEqual(['GET /api/v1/homes Basic x']);
  });

  it.each<[string, string, Answer]>([
    ['the token is not known', 'HTTP 401 nar-scan: who are you?', says(401, 'nar-scan: who are you?\n')],
    ['the token may not send', 'HTTP 403 a\\x1b[31m', says(403, 'a\u001b[31m\nb')],
    ['the server is broken', 'HTTP 500', says(500)],
    ['the connection breaks', 'ECONNRESET', (_, response) => void response.destroy()],
  ])('and why not is told where %s', async (_, why, reply) => {
    answer = reply;
    expect(await tell()).toBe(why);
  });

  it('and why not is told where the server refuses them', async () => {
    answer = ({ method }, response) =>
      void response
        .writeHead(method === 'GET' ? 200 : 422)
        .end(method === 'GET' ? document([]) : 'nar-scan: no\n');
    expect(await tell()).toBe('HTTP 422 nar-scan: no');
  });

  it('and why not is told where nobody listens', async () => {
    const cache = new URL('http://127.0.0.1:1/');
    const registration = { cache, authorization: null, certificates: null, homes: HOMES };
    expect(await registerHomes(registration, new AbortController().signal)).toBe('ECONNREFUSED');
  });

  it('until whoever waits for it has had enough', async () => {
    const controller = new AbortController();
    answer = () => controller.abort(new Error('enough'));
    await expect(tell('/', controller.signal)).rejects.toThrow('enough');
  });
});
