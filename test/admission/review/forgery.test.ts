import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FormTokens } from '../../../src/admission/review/formTokens.ts';
import { isFromHere } from '../../../src/admission/review/sameSite.ts';

const ACTION = '/review/outputs/0123456789abcdef/release';
const HOUR = 3_600_000;

describe('a token of a form', () => {
  it('counts for its caller and its form alone', () => {
    const tokens = new FormTokens();
    const token = tokens.make('alice', ACTION);
    expect(tokens.accepts(token, 'alice', ACTION)).toBe(true);
    expect(tokens.accepts(token, 'noamyr', ACTION)).toBe(false);
    expect(tokens.accepts(token, 'alice', `${ACTION}x`)).toBe(false);
    expect(new FormTokens().accepts(token, 'alice', ACTION)).toBe(false);
  });

  it('counts for some hours', () => {
    let now = Date.parse('2026-11-23T00:00:00Z');
    const tokens = new FormTokens(() => now);
    const token = tokens.make('alice', ACTION);
    now += 11 * HOUR;
    expect(tokens.accepts(token, 'alice', ACTION)).toBe(true);
    now += 2 * HOUR;
    expect(tokens.accepts(token, 'alice', ACTION)).toBe(false);
    now -= 20 * HOUR;
    expect(tokens.accepts(token, 'alice', ACTION)).toBe(false);
  });

  it('is not another text', () => {
    const tokens = new FormTokens();
    const token = tokens.make('alice', ACTION);
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.nat(token.length - 1)), (change) => {
        const other =
          typeof change === 'string'
            ? change
            : `${token.slice(0, change)}${token[change] === 'A' ? 'B' : 'A'}${token.slice(change + 1)}`;
        expect(other === token || !tokens.accepts(other, 'alice', ACTION)).toBe(true);
      }),
    );
  });
});

describe('a request that changes something', () => {
  it.each([
    [{}, true],
    [{ 'sec-fetch-site': 'same-origin' }, true],
    [{ 'sec-fetch-site': 'same-site' }, false],
    [{ 'sec-fetch-site': 'cross-site' }, false],
    [{ 'sec-fetch-site': 'none' }, false],
    [{ origin: 'http://cache:8080', host: 'cache:8080' }, true],
    [{ origin: 'https://cache:8080', host: 'cache:8080' }, true],
    [{ origin: 'https://cache.example.org', host: '127.0.0.1:8080' }, true],
    [{ origin: 'http://cache.example.org', host: '127.0.0.1:8080' }, false],
    [{ origin: 'http://cache:8081', host: 'cache:8080' }, false],
    [{ origin: 'https://evil.example', host: 'cache:8080' }, false],
    [{ origin: 'null', host: 'cache:8080' }, false],
    [{ origin: 'https://cache.example.org', host: 'x', 'sec-fetch-site': 'cross-site' }, false],
  ])('comes from a page of the server where its headers are %j: %s', (headers, expected) => {
    expect(isFromHere(headers, 'https://cache.example.org')).toBe(expected);
  });
});
