import { createServer } from 'node:http';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { spawn } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { listen } from '../../../src/admission/http/listen.ts';
import { activatedSocket, listenAddressOf } from '../../../src/admission/http/listenAddress.ts';

const folder = mkdtempSync(join(tmpdir(), 'nar-scan-listen-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('--listen', () => {
  it.each([
    ['127.0.0.1:8080', { host: '127.0.0.1', port: 8080 }],
    ['localhost:0', { host: 'localhost', port: 0 }],
    ['[::1]:65535', { host: '::1', port: 65_535 }],
    ['unix:/run/x.sock', { path: '/run/x.sock' }],
    ['8080', null],
    [':8080', null],
    ['::1:8080', null],
    ['[::g]:80', null],
    ['[127.0.0.1]:80', null],
    ['host:65536', null],
    ['host:-1', null],
    ['host:', null],
    ['a b:80', null],
    ['unix:x', null],
    [`unix:/${'x'.repeat(200)}`, null],
    ['unix:/x\0y', null],
  ])('%j means %j', (text, address) => {
    expect(listenAddressOf(text)).toEqual(address);
  });

  it('takes the socket of systemd for itself only', () => {
    expect(activatedSocket({ LISTEN_PID: '7', LISTEN_FDS: '1' }, 7)).toEqual({ fd: 3, count: 1 });
    expect(activatedSocket({ LISTEN_PID: '8', LISTEN_FDS: '1' }, 7)).toBeNull();
    expect(activatedSocket({ LISTEN_PID: '7', LISTEN_FDS: 'x' }, 7)).toBeNull();
    expect(activatedSocket({ LISTEN_FDS: '1' }, 7)).toBeNull();
  });

  it('takes the place of a socket whose server was killed, and of nothing else', async () => {
    const path = join(folder, 'dead');
    const script = `require('net').createServer().listen(${JSON.stringify(path)}, () => console.log('up'))`;
    const dead = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(dead.stdout, 'data');
    dead.kill('SIGKILL');
    await once(dead, 'exit');
    const server = createServer();
    expect(await listen(server, { path })).toBe(`unix:${path}`);

    const other = createServer();
    await expect(listen(other, { path })).rejects.toMatchObject({ code: 'LISTEN_FAILED' });
    server.close();

    const file = join(folder, 'file');
    writeFileSync(file, 'kept');
    await expect(listen(createServer(), { path: file })).rejects.toMatchObject({ code: 'LISTEN_FAILED' });
    await expect(listen(createServer(), { path: join(folder, 'no', 'socket') })).rejects.toThrow(
      'its directory is missing',
    );
  });

  it('says which port was free, and that one is taken', async () => {
    const server = createServer();
    const url = await listen(server, { host: '127.0.0.1', port: 0 });
    const port = Number(new URL(url).port);
    expect(port).toBeGreaterThan(0);
    const taken = listen(createServer(), { host: '127.0.0.1', port });
    await expect(taken).rejects.toMatchObject({
      code: 'LISTEN_FAILED',
      message: `'127.0.0.1:${port}' cannot be listened on: a program listens there already`,
    });
    server.close();
  });
});
