import { describe, expect, it } from 'vitest';
import { authorizationFor, loginFor } from '../../src/nix/netrc.ts';

describe('netrc', () => {
  it.each([
    ['machine cache login a password b', 'a:b'],
    ['machine other\n  login x\n  password y\nmachine cache\n\tlogin a\n\tpassword b\n', 'a:b'],
    ['machine cache password b account c login a', 'a:b'],
    ['default login a password b', 'a:b'],
    ['machine other login default password y\nmachine cache login a password machine', 'a:machine'],
    ['machine cache login a password b\ndefault login x password y', 'a:b'],
    ['macdef init\ncd machine cache login x\n\nmachine cache login a password b', 'a:b'],
    ['machine cache', null],
    ['machine cache login a', null],
    ['machine CACHE login a password b', 'a:b'],
    ['# machine cache login x password y\nmachine cache login a password b', 'a:b'],
    ['machine cache login "a b" password "\\"#"', 'a b:"#'],
    ['machine cache login a password "b', 'a:b'],
    ['machine cache login macdef password macdef', 'macdef:macdef'],
    ['machine cache password b machine other password c', ':b'],
    ['machine cach login a password b', null],
    ['machine', null],
    ['', null],
  ])('has what it says of a host: %j', (text, expected) => {
    const found = loginFor('cache', text);
    expect(found && `${found.login}:${found.password}`).toBe(expected);
  });

  it('is not asked where the URL says who asks', () => {
    const never = (): string => expect.unreachable();
    const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;
    expect(authorizationFor(new URL('http://noamyr:p%40ss@cache/'), never)).toBe(basic('noamyr:p@ss'));
    expect(authorizationFor(new URL('http://50%@cache/'), never)).toBe(basic('50%:'));
    expect(authorizationFor(new URL('http://cache:81/'), () => 'default login a password b')).toBe(
      basic('a:b'),
    );
    expect(authorizationFor(new URL('http://cache/'), () => '')).toBeNull();
  });
});
