import { once } from 'node:events';
import {
  Agent,
  createServer,
  type IncomingMessage,
  request,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { stopServer } from '../../../src/admission/http/stop.ts';

describe('a server that stops', () => {
  let server: Server;
  const agent = new Agent({ keepAlive: true });
  afterEach(() => server.closeAllConnections());

  const start = async (answer: (response: ServerResponse) => void): Promise<number> => {
    server = createServer((_, response) => answer(response));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  };
  const ask = (port: number): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => {
      request({ host: '127.0.0.1', port, agent }, (response) => {
        response.resume();
        response.once('end', () => resolve(response));
      })
        .once('error', reject)
        .end();
    });

  it('lets in nobody new, ends what is under way, and does not wait for idle connections', async () => {
    let held: ServerResponse | null = null;
    const port = await start((response) => {
      if (held === null) held = response;
      else response.end('second');
    });
    const first = ask(port);
    await expect.poll(() => held).not.toBeNull();
    await ask(port);
    let interrupted = 0;
    let isOver = false;
    const stopped = stopServer(server, async () => void interrupted++, 10_000).then(() => (isOver = true));
    await pause(200);
    await expect(ask(port)).rejects.toThrow(/ECONN/);
    expect(isOver).toBe(false);
    (held as unknown as ServerResponse).end('first');
    expect((await first).statusCode).toBe(200);
    await stopped;
    expect(interrupted).toBe(0);
  });

  it('breaks off what needs longer, and says so', async () => {
    let held: ServerResponse | null = null;
    const port = await start((response) => (held = response));
    const answer = ask(port);
    await expect.poll(() => held).not.toBeNull();
    await stopServer(server, async () => void held?.writeHead(503).end(), 100);
    expect((await answer).statusCode).toBe(503);
  });

  it('cuts whoever does not end even then', async () => {
    let held: ServerResponse | null = null;
    const port = await start((response) => (held = response));
    const answer = ask(port);
    answer.catch(() => undefined);
    await expect.poll(() => held).not.toBeNull();
    await stopServer(server, async () => undefined, 100);
    await expect(answer).rejects.toThrow(/hang up|ECONNRESET/);
  });
});
