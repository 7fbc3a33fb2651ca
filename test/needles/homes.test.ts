import { describe, expect, it } from 'vitest';
import {
  normalHome,
  passwdEntries,
  refuseHome,
  refusePasswdHome,
  underHomeRoot,
} from '../../src/needles/homes.ts';

describe('refuseHome', () => {
  it.each([
    '/home/zoe',
    '/home/zoe/',
    '/home//zoe',
    '/data/people/zoe',
    '/srv/home/home/y',
    '/export/home/x',
    '/var/home/zoe',
    '/usr/home/zoe',
    '/home/zoë smith',
    '/root',
    '/h/x',
    `/${'x'.repeat(3999)}`,
  ])('takes %j', (home) => {
    expect(refuseHome(home)).toBeNull();
  });

  it.each([
    '',
    '/',
    '//',
    '/./',
    'home/zoe',
    '~',
    '/home',
    '/home/',
    '/Users',
    '/var/home',
    '/usr',
    '/usr/lib/x',
    '/var/lib/postgres',
    '/var/empty',
    '/run/user/1000',
    '/etc/x',
    '/proc/self',
    '/tmp',
    '/opt',
    '/srv',
    '/nix',
    '/nix/store',
    '/nonexistent',
    '/homeless-shelter',
    '/home/zoe/..',
    '/home/z\0e',
    '/x',
    `/${'x'.repeat(4000)}`,
  ])('refuses %j', (home) => {
    expect(refuseHome(home)).not.toBeNull();
  });
});

it('compares homes without repeated, trailing and idle components', () => {
  expect(normalHome('//home/./zoe//')).toBe('/home/zoe');
  expect(normalHome('/home/.zoe')).toBe('/home/.zoe');
});

describe('underHomeRoot', () => {
  it.each([
    ['/home/zoe', 'zoe'],
    ['/home/zoe/chroot', 'zoe'],
    ['/var/home/zoe', 'zoe'],
    ['/System/Volumes/Data/Users/zoe', 'zoe'],
    ['/mnt/c/Users/zoe', 'zoe'],
    ['/home/zoë', 'zo\xc3\xab'],
    ['/data/home/zoe', null],
    ['/homes/zoe', null],
    ['/home', null],
  ])('%s is the home of %s', (home, user) => {
    expect(underHomeRoot(home)).toBe(user);
  });
});

describe('the passwd database', () => {
  it('takes people, and leaves out services, nobody, odd homes and broken lines', () => {
    const passwd = [
      'root:x:0:0::/root:/bin/sh',
      'daemon:x:1:1::/home/daemon:/bin/sh',
      'zoe:x:1000:1000:Zoe,,,:/home/zoe:/bin/sh',
      'max:x:1001:1001::/home/max/:/bin/sh',
      'nobody:x:65534:65534::/home/nobody:/bin/sh',
      'www:x:1002:1002::/var/www:/bin/sh',
      'away:x:1003:1003::/data/away:/bin/sh',
      'short:x:1004:1004::/home/short',
      'odd:x:none:1005::/home/odd:/bin/sh',
      '',
    ].join('\n');
    const homes = (firstUid: number): readonly string[] =>
      passwdEntries(passwd)
        .filter((entry) => refusePasswdHome(entry, firstUid) === null)
        .map(({ home }) => home);
    expect(homes(1000)).toEqual(['/home/zoe', '/home/max/']);
    expect(homes(1)).toContain('/home/daemon');
    expect(passwdEntries(passwd)).toHaveLength(7);
  });
});
