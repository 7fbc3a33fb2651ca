import { describe, expect, it } from 'vitest';
import { digestOfSecret, parseTokens } from '../../../src/admission/access/tokens.ts';
import { readArguments } from '../../../src/cli/arguments.ts';
import { newToken } from '../../../src/cli/commands/token.ts';

const NOW = new Date('2026-11-23T12:00:00Z');
const make = (...words: readonly string[]) => newToken(readArguments(['token', 'new', ...words]), NOW);

describe('token new', () => {
  it('makes an entry that the server reads, of the secret that it tells', () => {
    const { entry, secret } = make(
      '--name',
      'ci',
      '--scope',
      'push,read',
      '--scope',
      'read',
      '--home',
      '/home/alice',
    );
    expect(parseTokens(Buffer.from(entry), 't')).toEqual([
      {
        name: 'ci',
        digest: digestOfSecret(secret),
        scopes: new Set(['push', 'read']),
        homes: ['/home/alice'],
        expires: null,
      },
    ]);
  });

  it('lets it count for as long as is said, to the end of the last day', () => {
    const base = ['--name', 'ci', '--scope', 'read', '--expires'];
    expect(make(...base, '2027-01-31').entry).toContain('expires = 2027-01-31\n');
    expect(make(...base, '30d').entry).toContain('expires = 2026-12-24\n');
  });

  it.each<[string, string, readonly string[]]>([
    ['no name', 'token new needs --name', ['--scope', 'read']],
    ['no scope', 'token new needs --scope', ['--name', 'ci']],
    ['no scope there is', "--scope: 'write' is none of read, push", ['--name', 'ci', '--scope', 'write']],
    ['an unknown scope', "--scope: 'read,write' has 'write'", ['--name', 'ci', '--scope', 'read,write']],
    [
      'a name of nobody',
      'is what whoever has no token is called',
      ['--name', 'anonymous', '--scope', 'read'],
    ],
    [
      'a system directory',
      "'/usr' is a system directory",
      ['--name', 'ci', '--scope', 'read', '--home', '/usr'],
    ],
    ['an argument', 'takes no argument', ['--name', 'ci', '--scope', 'read', 'x']],
  ])('refuses %s', (_, message, words) => {
    expect(() => make(...words)).toThrow(message);
  });
});
