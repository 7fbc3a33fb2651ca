import { describe, expect, it } from 'vitest';
import { digestOfSecret, isSecret, makeToken, parseTokens } from '../../../src/admission/access/tokens.ts';
import { NarScanError } from '../../../src/model/errors.ts';

const DIGEST = 'a'.repeat(64);
const entry = (name: string, rest = '', digest = DIGEST): string =>
  `[[token]]\nname = "${name}"\nsecret = "sha256:${digest}"\n${rest || 'scopes = ["read"]'}\n`;

const faultOf = (text: string): string => {
  try {
    parseTokens(Buffer.from(text), 't');
  } catch (error) {
    if (error instanceof NarScanError) return `${error.code} ${error.message}`;
  }
  return 'none';
};

describe('a tokens file', () => {
  it('takes the entry that is made with a secret, and what is kept of the secret is its hash', () => {
    const { secret, entry: text } = makeToken({
      name: 'ci@host',
      scopes: ['read', 'push'],
      homes: ['/home/noamyr', '/home/al"ice'],
      expires: '2027-01-31',
    });
    expect(isSecret(secret)).toBe(true);
    expect(text).not.toContain(secret);
    expect(parseTokens(Buffer.from(text), 't')).toEqual([
      {
        name: 'ci@host',
        digest: digestOfSecret(secret),
        scopes: new Set(['read', 'push']),
        homes: ['/home/noamyr', '/home/al"ice'],
        expires: Date.UTC(2027, 0, 31),
      },
    ]);
  });

  it('makes another secret each time', () => {
    const made = Array.from({ length: 50 }, () =>
      makeToken({ name: 'a', scopes: ['read'], homes: [], expires: null }),
    );
    expect(new Set(made.map(({ secret }) => secret)).size).toBe(50);
  });

  it('lets admin do what people do, and never sign', () => {
    const [token] = parseTokens(Buffer.from(entry('a', 'scopes = ["admin"]')), 't');
    expect([...(token?.scopes ?? [])].toSorted()).toEqual(['admin', 'push', 'read', 'review']);
  });

  it.each<[string, string, string]>([
    ['no scope', entry('a', 'scopes = []'), 't:4: token[1].scopes: is empty'],
    [
      'an unknown scope',
      entry('a', 'scopes = ["write"]'),
      "t:4: token[1].scopes[1]: 'write' is none of read, push, review, admin, sign",
    ],
    [
      'a misspelt key',
      entry('a', 'scope = ["read"]\nscopes = ["read"]'),
      't:4: token[1].scope: is no key of a tokens file (did you mean scopes?)',
    ],
    ['a name twice', entry('a') + entry('a', '', 'b'.repeat(64)), 't:5: token[2]: has the name of another'],
    ['a secret twice', entry('a') + entry('b'), 't:5: token[2]: has the secret of another'],
    [
      'the name of nobody',
      entry('anonymous'),
      "t:2: token[1].name: 'anonymous' is what whoever has no token is called",
    ],
    ['a name with a line break', entry('a\\nb'), "t:2: token[1].name: 'a b' is no name of 1 to 64"],
    [
      'a system directory for a home',
      entry('a', 'scopes = ["read"]\nhomes = ["/usr"]'),
      "t:5: token[1].homes[1]: '/usr' is a system directory, not a home",
    ],
    [
      'a day that no calendar has',
      entry('a', 'scopes = ["read"]\nexpires = 2027-02-30'),
      't:5: 2027-02-30 is in no calendar',
    ],
    ['what is no TOML', '[[token', 't:1: is no TOML'],
    ['more than TOML nests', `x = ${'['.repeat(99)}`, 't:1: is no TOML'],
  ])('is refused as a whole for %s', (_, text, fault) => {
    expect(faultOf(text)).toContain(`TOKENS_INVALID ${fault}`);
  });

  it('is refused for a secret in the place of its hash, which no message repeats', () => {
    const { secret } = makeToken({ name: 'a', scopes: ['read'], homes: [], expires: null });
    const fault = faultOf(`[[token]]\nname = "a"\nsecret = "${secret}"\nscopes = ["read"]`);
    expect(fault).toContain('t:3: token[1].secret: is not sha256: and 64 digits');
    expect(fault).not.toContain('nst_');
  });
});
