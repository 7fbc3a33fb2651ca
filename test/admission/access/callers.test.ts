import { describe, expect, it } from 'vitest';
import { OpenCallers, isLoopback } from '../../../src/admission/access/openCallers.ts';
import { openCallers } from '../../../src/admission/access/open.ts';
import { TokenCallers } from '../../../src/admission/access/tokenCallers.ts';
import { makeToken, parseTokens } from '../../../src/admission/access/tokens.ts';
import type { AccessRequest, Callers, Passage } from '../../../src/admission/callers.ts';
import { type Scope, SCOPES } from '../../../src/admission/contracts.ts';
import { LIMITS } from '../../../src/model/limits.ts';

const catalog = { homes: async (token: string) => (token === 'ci' ? ['/home/alice', '/home/noamyr'] : []) };
const made = makeToken({ name: 'ci', scopes: ['push'], homes: ['/home/noamyr'], expires: null });
const admin = makeToken({ name: 'boss', scopes: ['admin'], homes: [], expires: null });
const old = makeToken({ name: 'old', scopes: ['read'], homes: [], expires: '2026-01-02' });
const tokens = parseTokens(Buffer.from([made, admin, old].map(({ entry }) => entry).join('')), 't');

let now = Date.UTC(2026, 0, 1);
const failures: string[] = [];
const callersWith = (anonymousRead = false): Callers =>
  new TokenCallers({
    source: { tokens },
    catalog,
    anonymousRead,
    failed: (address) => failures.push(address),
    now: () => now,
  });
const request = (authorization?: string, address = '192.0.2.1'): AccessRequest => ({
  headers: authorization === undefined ? {} : { authorization },
  address,
});
const basic = (user: string, password: string): string =>
  `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
const told = ({ refusal }: Passage): string =>
  refusal === null ? 'passed' : `${refusal.status} ${refusal.line.split(': ')[1]}`;

describe('callers with tokens', () => {
  it('pass with Basic, whatever the user is called, and with Bearer', async () => {
    const callers = callersWith();
    for (const said of [
      basic('ci', made.secret),
      basic('', made.secret),
      basic('any', made.secret).replace('Basic', 'bAsIc  '),
      `Bearer ${made.secret}`,
    ]) {
      const { caller } = await callers.pass(request(said), 'push');
      expect(caller?.name).toBe('ci');
      expect(caller?.homes).toEqual(['/home/noamyr', '/home/alice']);
    }
  });

  it('are told how to ask again where they send none, and that is no failure', async () => {
    failures.length = 0;
    const passage = await callersWith().pass(request(), 'read');
    expect(told(passage)).toBe('401 ACCESS_NO_TOKEN');
    expect(passage).toMatchObject({
      headers: { 'www-authenticate': expect.stringContaining('Basic realm=') },
    });
    expect(failures).toEqual([]);
  });

  it.each([
    `Bearer ${made.secret}x`,
    `Bearer ${made.secret.slice(0, -1)}`,
    `Bearer ${made.secret.toUpperCase()}`,
    basic('ci', ''),
    basic(made.secret, 'ci'),
    'Bearer',
    'Basic %%%',
    `Digest ${made.secret}`,
    `Bearer ${'a'.repeat(100_000)}`,
    made.secret,
    '',
  ])('are refused with %s', async (said) => {
    const passage = await callersWith(true).pass(request(said), 'read');
    expect(told(passage)).toBe('401 ACCESS_UNKNOWN_TOKEN');
    expect(passage.refusal?.line).not.toContain('nst_');
  });

  it('do what their scopes say and nothing else', async () => {
    const callers = callersWith();
    const allowed = async (secret: string): Promise<Scope[]> => {
      const each = await Promise.all(
        SCOPES.map(async (scope) => ({ scope, ...(await callers.pass(request(`Bearer ${secret}`), scope)) })),
      );
      return each.filter(({ caller }) => caller !== null).map(({ scope }) => scope);
    };
    expect(await allowed(made.secret)).toEqual(['push']);
    expect(await allowed(admin.secret)).toEqual(['read', 'push', 'review', 'admin']);
    expect(told(await callers.pass(request(`Bearer ${made.secret}`), 'read'))).toBe('403 ACCESS_SCOPE');
  });

  it('are unknown from the day on that their token expires', async () => {
    const said = request(`Bearer ${old.secret}`);
    expect(told(await callersWith().pass(said, 'read'))).toBe('passed');
    now = Date.UTC(2026, 0, 2);
    expect(told(await callersWith().pass(said, 'read'))).toBe('401 ACCESS_UNKNOWN_TOKEN');
  });

  it('read without a token where that is said, and do nothing else', async () => {
    const callers = callersWith(true);
    const { caller } = await callers.pass(request(), 'read');
    expect(caller).toEqual({ name: 'anonymous', scopes: new Set(['read']), homes: [] });
    expect(told(await callers.pass(request(), 'push'))).toBe('401 ACCESS_NO_TOKEN');
  });

  it('who fail too often are refused at once for a while, and the right ones of the same address are not', async () => {
    failures.length = 0;
    const callers = callersWith();
    const wrong = async (address?: string): Promise<string> =>
      told(await callers.pass(request('Bearer x', address), 'push'));
    for (let count = 0; count < LIMITS.accessFailures; count++)
      expect(await wrong()).toBe('401 ACCESS_UNKNOWN_TOKEN');
    expect(await wrong()).toBe('403 ACCESS_TOO_MANY');
    expect(failures).toHaveLength(LIMITS.accessFailures);
    expect(await wrong('::ffff:192.0.2.1')).toBe('403 ACCESS_TOO_MANY');
    expect(await wrong('192.0.2.2')).toBe('401 ACCESS_UNKNOWN_TOKEN');
    expect(told(await callers.pass(request(`Bearer ${made.secret}`), 'push'))).toBe('passed');
    now += LIMITS.accessWindowMilliseconds;
    expect(await wrong()).toBe('401 ACCESS_UNKNOWN_TOKEN');
  });

  it('count as one by the network that one client has of IPv6', async () => {
    const callers = callersWith();
    const wrong = async (address: string): Promise<string> =>
      told(await callers.pass(request('Bearer x', address), 'push'));
    for (let count = 0; count < LIMITS.accessFailures; count++)
      await wrong(`2001:db8::${count.toString(16)}`);
    expect(await wrong('2001:db8:0:0:9::')).toBe('403 ACCESS_TOO_MANY');
    expect(await wrong('2001:db8:0:1::')).toBe('401 ACCESS_UNKNOWN_TOKEN');
  });
});

describe('callers of a server without tokens', () => {
  const callers = new OpenCallers(catalog);
  const ask = async (
    headers: AccessRequest['headers'],
    address = '127.0.0.1',
    scope: Scope = 'admin',
  ): Promise<string> => told(await callers.pass({ headers, address }, scope));

  it('do everything but have things signed', async () => {
    for (const scope of SCOPES) {
      const expected = scope === 'sign' ? '403 ACCESS_SCOPE' : 'passed';
      expect(await ask({ host: '127.0.0.1:8080' }, '127.0.0.1', scope)).toBe(expected);
    }
    for (const host of ['localhost:1', '[::1]:8080', '127.1.2.3', 'cache.localhost'])
      expect(await ask({ host })).toBe('passed');
    expect(await ask({ host: 'localhost' }, '::ffff:127.0.0.1')).toBe('passed');
    expect(await ask({ host: 'whatever' }, '')).toBe('passed');
  });

  it.each<[string, AccessRequest['headers'], string?]>([
    ['through a proxy', { host: 'localhost', forwarded: 'for=1.2.3.4' }],
    ['through a proxy of the older kind', { host: 'localhost', 'x-forwarded-for': '127.0.0.1' }],
    ['through any proxy', { host: 'localhost', 'x-forwarded-whatever': '' }],
    ['from another machine', { host: 'localhost' }, '192.0.2.1'],
    ['from a page that named this machine anew', { host: 'evil.example:8080' }],
    ['from a page with such an address', { host: '127.0.0.1.evil.example' }],
    ['from a page elsewhere', { host: 'localhost', origin: 'https://evil.example' }],
    ['from a page of another port', { host: 'localhost:1', origin: 'http://localhost:2' }],
    ['from a page without an origin', { host: 'localhost', origin: 'null' }],
    ['to a host that is none', { host: '[' }],
  ])('are refused %s', async (_, headers, address) => {
    expect(await ask(headers, address)).toBe('403 ACCESS_OPEN');
  });
});

describe('the access of a server', () => {
  const settings = {
    tokens: null,
    noAuth: false,
    anonymousRead: false,
    host: '127.0.0.1',
    catalog,
    warn: () => undefined,
    failed: () => undefined,
  };

  it('must be said', () => {
    expect(() => openCallers(settings)).toThrow(expect.objectContaining({ code: 'USAGE_MISSING_VALUE' }));
    expect(() => openCallers({ ...settings, tokens: '/x', noAuth: true })).toThrow('exclude each other');
  });

  it('is everybody’s on this machine alone', () => {
    for (const host of ['127.0.0.1', '::1', 'localhost', null]) {
      expect(openCallers({ ...settings, noAuth: true, host })).toBeInstanceOf(OpenCallers);
    }
    for (const host of ['0.0.0.0', '::', '192.0.2.1', 'example.org', '', '127.0.0.1.example.org', '127.1']) {
      expect(isLoopback(host)).toBe(false);
      expect(() => openCallers({ ...settings, noAuth: true, host })).toThrow('not this machine alone');
    }
  });
});
