import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { AuditLog } from '../../../src/quarantine/audit.ts';
import { notifierOf } from '../../../src/quarantine/notify/notifier.ts';

let folder: string;
let server: Server | null = null;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'nar-scan-notify-'));
});
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
  server = null;
  rmSync(folder, { recursive: true, force: true });
});

interface Asked {
  readonly body: unknown;
  readonly authorization: string | undefined;
}

/** A server that answers with one status after the other. */
async function serving(...statuses: readonly number[]): Promise<{ port: number; asked: readonly Asked[] }> {
  const asked: Asked[] = [];
  const started = createServer((request, response) => {
    let body = '';
    request.on('data', (piece: Buffer) => (body += piece.toString()));
    request.on('end', () => {
      asked.push({ body: JSON.parse(body) as unknown, authorization: request.headers.authorization });
      response.writeHead(statuses[asked.length - 1] ?? 200).end('answer');
    });
  });
  server = started;
  started.listen(0, '127.0.0.1');
  await once(started, 'listening');
  return { port: (started.address() as AddressInfo).port, asked };
}

/** Has one event happen, of which somebody is told. */
async function happen(settings: { url?: string; command?: readonly string[] }): Promise<void> {
  const { url = null, command = [] } = settings;
  const environment = { PATH: process.env['PATH'], NIX_CONFIG: 'access-tokens = secret' };
  const notify = notifierOf({ url, command }, folder, environment);
  using log = await AuditLog.open(folder, { actor: 'alice@host', notify });
  await log.append({ event: 'withheld', storePath: '/nix/store/x', narHash: null, because: 'of y' });
}

const event = {
  schema: 'nar-scan/event-v1',
  seq: 1,
  actor: 'alice@host',
  event: 'withheld',
  because: 'of y',
};
const soon = { timeout: 30_000, interval: 50 };

/** What could not be delivered. */
const faults = () =>
  existsSync(join(folder, 'notify.log')) ? readFileSync(join(folder, 'notify.log'), 'utf8') : '';

describe('who is told of events', () => {
  it('gets each of them by POST, again where the server was at fault', async () => {
    const { port, asked } = await serving(503, 200);
    await happen({ url: `http://127.0.0.1:${port}/hook` });
    await vi.waitFor(() => expect(asked).toHaveLength(2), soon);
    expect(asked[1]?.body).toMatchObject(event);
    expect(readdirSync(folder).filter((name) => name.startsWith('.notify'))).toEqual([]);
    expect(faults()).toBe('');
  });

  it('may have a user and a password in the URL, which no log shows', async () => {
    const { port, asked } = await serving(401);
    await happen({ url: `http://alice:secret@127.0.0.1:${port}/token` });
    await vi.waitFor(() => expect(faults()).not.toBe(''), soon);
    expect(asked).toMatchObject([{ authorization: `Basic ${btoa('alice:secret')}` }]);
    expect(JSON.parse(faults())).toMatchObject({ seq: 1, to: 'url', fault: 'HTTP 401' });
    expect(faults()).not.toMatch(/secret|token|127/);
  });

  it('may be a command, which gets them on its standard input and nothing secret', async () => {
    const program = join(folder, 'told');
    writeFileSync(program, `#!/bin/sh\n{ cat; env; } > ${folder}/part; mv ${folder}/part ${folder}/"$1"\n`);
    chmodSync(program, 0o755);
    await happen({ command: [program, 'got it'] });
    await vi.waitFor(() => expect(existsSync(join(folder, 'got it'))).toBe(true), soon);
    const [line = '', ...variables] = readFileSync(join(folder, 'got it'), 'utf8').split('\n');
    expect(JSON.parse(line)).toMatchObject(event);
    expect(variables.join()).not.toContain('secret');
  });

  it('may be out of reach: that is logged, and nobody waits', async () => {
    await happen({ command: [join(folder, 'nowhere')] });
    await vi.waitFor(() => expect(faults()).not.toBe(''), soon);
    expect(JSON.parse(faults())).toMatchObject({ to: 'command', fault: 'ENOENT' });
    await happen({ command: ['/bin/false'] });
    await vi.waitFor(() => expect(faults()).toContain('status 1'), soon);
  });

  it('may be nobody', () => {
    expect(notifierOf({ url: null, command: [] }, folder, {})).toBeUndefined();
  });
});
