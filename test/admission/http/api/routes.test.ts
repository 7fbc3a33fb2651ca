import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { openApi } from '../../../../src/admission/http/openapi.ts';
import { verdictStatement } from '../../../../src/admission/publication/verdict.ts';
import { LIMITS } from '../../../../src/model/limits.ts';
import { verifyText } from '../../../../src/nix/signature.ts';
import { directory, exported, file, nar, uint64 } from '../../../support/narWriter.ts';
import { ROOT } from '../../../support/narScan.ts';
import { PUBLISHED } from '../support.ts';
import { ApiServer } from './apiServer.ts';

const CLEAN = nar(directory(['bin', file('echo hello')]));
const LEAKY = nar(directory(['bin', file('cd /home/noamyr/src')]));
const FOREIGN = nar(directory(['bin', file(' /home/zoe/src/x.c ')]));
const ALIAS = nar(directory(['bin', file(' /gpfs/u17/nix/store/q3lv9bi7r4di3kxdjhy7kvwgvpmanfza-x/bin ')]));
const STORE_PATH = '/nix/store/q3lv9bi7r4di3kxdjhy7kvwgvpmanfza-tool';

interface Check {
  verdict: string;
  rules: string;
  at: string;
  statement: string;
  signature: string;
  outputs: {
    storePath: string | null;
    narHash: string;
    narSize: number;
    standing: string;
    blocking: string[];
  }[];
  report: { verdict: string; outputs: { findings: object[]; gaps: object[] }[] };
}

const ajv = new Ajv2020({ strict: false });
ajv.addSchema({ $id: 'api', ...openApi('0') });
const isReport = ajv.compile(
  JSON.parse(readFileSync(join(ROOT, 'src/report/report.schema.json'), 'utf8')) as object,
);

function expectValid(name: string, document: unknown): void {
  const validate = ajv.compile({ $ref: `api#/components/schemas/${name}` });
  expect([validate(document), validate.errors]).toEqual([true, null]);
}

describe('the interface for programs', () => {
  let server: ApiServer;
  beforeAll(async () => void (server = await ApiServer.start()));
  afterAll(async () => await server[Symbol.asyncDispose]());
  beforeEach(() => void (server.decided = {}));

  const check = async (body: Uint8Array): Promise<Check> => {
    const response = await server.ask('/api/v1/check', 'push', { method: 'POST', body: Buffer.from(body) });
    expect(response.status).toBe(200);
    const document = (await response.json()) as Check;
    expectValid('Check', document);
    expect([isReport(document.report), isReport.errors]).toEqual([true, null]);
    expect(response.headers.get('nar-scan-signature')).toBe(document.signature);
    expect(verifyText(server.verdictKey.publicKey, document.statement, document.signature)).toBe(true);
    expect(server.spooled).toEqual([]);
    return document;
  };

  it('tells what is found in a NAR, whatever it is, and signs it', async () => {
    const clean = await check(CLEAN);
    const [output] = clean.outputs;
    expect(clean).toMatchObject({ verdict: 'clean', report: { verdict: 'clean', errors: [] } });
    expect(output).toMatchObject({ storePath: null, narSize: CLEAN.length, standing: 'clean', blocking: [] });
    expect(clean.statement).toBe(
      `nar-scan-check-1;clean;${clean.rules};${clean.at};;${output?.narHash};${CLEAN.length};clean`,
    );
    const leaky = await check(LEAKY);
    expect(leaky).toMatchObject({ verdict: 'contaminated', report: { verdict: 'contaminated' } });
    expect(leaky.outputs[0]?.blocking).toHaveLength(1);
    expect((await check(FOREIGN)).verdict).toBe('held');
    expect(leaky.rules).toBe(clean.rules);
  });

  it('knows a NAR in whatever it is packed, and by the hash of what is in it', async () => {
    const [plain, packed] = [await check(LEAKY), await check(gzipSync(LEAKY))];
    expect(packed.outputs).toEqual(plain.outputs);
  });

  it('takes an alias for a leak where nobody will tell the references', async () => {
    expect((await check(ALIAS)).verdict).toBe('contaminated');
  });

  it('tells of each output of an export stream, and of the worst', async () => {
    const lib = `${STORE_PATH}-lib`;
    const { verdict, outputs } = await check(
      Buffer.concat([exported(CLEAN, STORE_PATH), exported(LEAKY, lib, [STORE_PATH]), uint64(0)]),
    );
    expect(verdict).toBe('contaminated');
    expect(outputs.map(({ storePath, standing }) => [storePath, standing])).toEqual([
      [STORE_PATH, 'clean'],
      [lib, 'contaminated'],
    ]);
  });

  it('says nothing of an output whose path would say more in the statement', async () => {
    const named = `${STORE_PATH};sha256:${'0'.repeat(52)};1;clean`;
    const stream = Buffer.concat([exported(CLEAN, named), uint64(0)]);
    const response = await server.ask('/api/v1/check', 'push', { method: 'POST', body: stream });
    expect(response.status).toBe(422);
    expect(await response.text()).toMatch(/EXPORT_BAD_PATH: .* is no store path in \/nix\/store/);
  });

  it.each<[string, Uint8Array]>([
    ['nothing', Buffer.alloc(0)],
    ['what is no NAR', Buffer.from('hello')],
    ['half a NAR', CLEAN.subarray(0, 100)],
    ['a NAR and more', Buffer.concat([CLEAN, Buffer.from('x')])],
    ['an export stream of nothing', uint64(0)],
    ['an export stream without its end', exported(CLEAN, STORE_PATH)],
  ])('is never clean for %s', async (_, body) => {
    expect((await check(body)).verdict).toBe('incomplete');
  });

  it('goes by what people decided: denied beats clean, and released is not clean', async () => {
    const { narHash = '' } = (await check(CLEAN)).outputs[0] ?? {};
    const decision = { sequence: 7, reason: 'because', actor: 'alice', at: 0 };
    server.decided = { denial: { ...decision, storePath: null, hashPart: null, narHash } };
    expect(await check(CLEAN)).toMatchObject({
      verdict: 'denied',
      outputs: [{ standing: 'denied', decision: { record: 7, by: 'alice', reason: 'because' } }],
    });
    server.decided = {};
    const { narHash: leaky = '', blocking = [] } = (await check(LEAKY)).outputs[0] ?? {};
    const storePath = `nar/${leaky.slice('sha256:'.length)}.nar`;
    server.decided = {
      releases: [{ ...decision, storePath, narHash: leaky, covers: blocking, expires: null }],
    };
    const released = await check(LEAKY);
    expect(released).toMatchObject({ verdict: 'released', report: { verdict: 'contaminated' } });
    expect(released.statement).toContain(';released;');
  });

  it('refuses more than is taken, and a body that is packed for the way', async () => {
    const large = { method: 'POST', body: Buffer.alloc(1024 * 1024 + 1) };
    expect((await server.ask('/api/v1/check', 'push', large)).status).toBe(413);
    const packed = { method: 'POST', body: Buffer.from(CLEAN), headers: { 'content-encoding': 'gzip' } };
    expect((await server.ask('/api/v1/check', 'push', packed)).status).toBe(400);
    expect(server.spooled).toEqual([]);
  });

  it('keeps nothing of a check that breaks off', async () => {
    const socket = connect(server.port, '127.0.0.1');
    await once(socket, 'connect');
    const { authorization } = server.headers('push');
    socket.write(
      `POST /api/v1/check HTTP/1.1\r\nHost: x\r\nAuthorization: ${authorization}\r\nContent-Length: 999\r\n\r\nhello`,
    );
    await vi.waitFor(() => expect(server.spooled).toHaveLength(1));
    socket.destroy();
    await vi.waitFor(() => expect(server.spooled).toEqual([]));
  });

  it('tells the signed verdict on a published path, and nothing of any other', async () => {
    const path = { ...PUBLISHED, verdict: 'released' as const };
    await server.catalog.publish(path);
    const response = await server.ask(`/api/v1/verdict/${path.hashPart}`, 'read');
    const record = (await response.json()) as Parameters<typeof verdictStatement>[0] & { signature: string };
    expectValid('Verdict', record);
    expect(record).toMatchObject({ storePath: path.storePath, narHash: path.narHash, verdict: 'released' });
    expect(verifyText(server.verdictKey.publicKey, verdictStatement(record), record.signature)).toBe(true);
    for (const other of ['a'.repeat(32), 'x', '%2e%2e', path.hashPart.toUpperCase()]) {
      expect((await server.ask(`/api/v1/verdict/${other}`, 'read')).status).toBe(404);
    }
  });

  it('tells its public keys', async () => {
    const keys: unknown = await (await server.ask('/api/v1/keys', 'read')).json();
    expectValid('Keys', keys);
    expect(keys).toMatchObject({
      verdict: server.verdictKey.publicText,
      signing: server.signingKey.publicText,
    });
  });

  const register = async (body: unknown, type = 'application/json') =>
    await server.ask('/api/v1/homes', 'push', {
      method: 'POST',
      headers: { 'content-type': type },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });

  it('adds homes to those of a token, finds what leaks them, and takes none away', async () => {
    expect((await check(FOREIGN)).verdict).toBe('held');
    const before = await check(CLEAN);
    const response = await register({ homes: ['/home/zoe/', '/home/noamyr', '/home/zoe'] });
    const homes: unknown = await response.json();
    expectValid('Homes', homes);
    expect(homes).toMatchObject({ homes: ['/home/noamyr', '/home/zoe'] });
    expect(await (await register({ homes: [] })).json()).toEqual(homes);
    expect(await (await server.ask('/api/v1/homes', 'push')).json()).toEqual(homes);
    expect((await check(FOREIGN)).verdict).toBe('contaminated');
    expect((await check(CLEAN)).rules).not.toBe(before.rules);
    expect(await server.catalog.homes('push')).toEqual(['/home/zoe']);
  });

  it.each<[string, number, unknown]>([
    ['a system directory', 422, { homes: ['/home/alice', '/usr'] }],
    ['a climb', 422, { homes: ['/home/alice/../..'] }],
    ['what is everybody’s', 422, { homes: ['/home'] }],
    ['no list', 400, { homes: '/home/alice' }],
    ['another key', 400, { homes: [], replace: true }],
    ['no object', 400, null],
    ['a number', 400, { homes: [1] }],
    ['no JSON', 400, '{'],
    ['nothing', 400, ''],
    [
      'too many',
      413,
      { homes: Array.from({ length: LIMITS.registeredHomes + 1 }, (_, at) => `/home/u${at}`) },
    ],
    [
      'too many elsewhere',
      413,
      { homes: Array.from({ length: LIMITS.registeredHomesElsewhere + 1 }, (_, at) => `/gpfs/u${at}`) },
    ],
    ['too much', 413, { homes: [' '.repeat(LIMITS.registeredHomesBytes)] }],
  ])('takes none of the homes where there is %s among them', async (_, status, body) => {
    const known = await server.catalog.homes('push');
    expect((await register(body)).status).toBe(status);
    expect(await server.catalog.homes('push')).toEqual(known);
  });

  it('takes homes as JSON alone, which no page elsewhere can send', async () => {
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/jsonp']) {
      expect((await register({ homes: [] }, type)).status).toBe(400);
    }
  });

  it('does nothing without the right scope', async () => {
    const routes = [
      ['POST', '/api/v1/check', 'push'],
      ['POST', '/api/v1/homes', 'push'],
      ['GET', '/api/v1/homes', 'push'],
      ['GET', `/api/v1/verdict/${PUBLISHED.hashPart}`, 'read'],
      ['GET', '/api/v1/keys', 'read'],
      ['GET', '/api/v1/openapi.json', 'read'],
      ['GET', '/metrics', 'read'],
    ] as const;
    for (const [method, path, scope] of routes) {
      const body = method === 'POST' ? { body: 'x' } : {};
      expect((await server.ask(path, null, { method, ...body })).status).toBe(401);
      const other = scope === 'push' ? 'read' : 'push';
      const response = await server.ask(path, other, { method, ...body });
      expect([path, response.status]).toEqual([path, 403]);
      expect(await response.text()).toContain(`lacks the scope ${scope}`);
    }
  });

  it('tells its description and its counters', async () => {
    expect(await (await server.ask('/api/v1/openapi.json', 'read')).json()).toEqual(openApi('0'));
    const metrics = await (await server.ask('/metrics', 'read')).text();
    for (const line of [
      'nar_scan_uploads_total{outcome="refused"} 1',
      'nar_scan_upload_bytes_total{outcome="refused"} 100',
      'nar_scan_upload_seconds_bucket{le="2.5",outcome="refused"} 1',
      'nar_scan_stage_seconds_count{stage="inspect"} 1',
      'nar_scan_scans_running 0',
      'nar_scan_quarantine_bytes 7',
      'nar_scan_received_bytes 11',
      'nar_scan_requests_total{method="GET",route="/api/v1/openapi.json",status="200"} 1',
      'process_cpu_seconds_total',
    ]) {
      expect(metrics).toContain(line);
    }
    expect(metrics).not.toContain(PUBLISHED.hashPart);
  });
});

describe('the interface for programs of a public cache', () => {
  it('tells anybody what is published, and nobody the counters', async () => {
    await using server = await ApiServer.start(true);
    expect((await server.ask('/api/v1/keys', null)).status).toBe(200);
    expect((await server.ask('/metrics', null)).status).toBe(401);
    expect((await server.ask('/api/v1/check', null, { method: 'POST', body: 'x' })).status).toBe(401);
  });
});
