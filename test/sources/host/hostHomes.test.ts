import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type HomeClues, hostHomes, named } from '../../../src/sources/host/hostHomes.ts';
import { accepted, distinct, type Found } from '../../../src/sources/host/found.ts';

let place = '';

beforeAll(() => {
  place = realpathSync(mkdtempSync('/tmp/nar-scan-homes-'));
  mkdirSync(join(place, 'real'));
  symlinkSync('real', join(place, 'link'));
  symlinkSync('/usr', join(place, 'system'));
});

afterAll(() => rmSync(place, { recursive: true, force: true }));

const NOTHING: HomeClues = { environment: {}, users: [], mounts: [], aliases: [] };
const homes = (clues: Partial<HomeClues>): readonly Found[] => distinct(hostHomes({ ...NOTHING, ...clues }));
const user = (name: string, uid: number, home: string) => ({ name, uid, home, from: '/etc/passwd' });

it('a home that was named counts as what it really is, too', () => {
  const paths = (home: string) => accepted([...named(home, '--home')]);
  expect(paths(join(place, 'link'))).toEqual([join(place, 'link'), join(place, 'real')]);
  expect(paths(join(place, 'real'))).toEqual([join(place, 'real')]);
  expect(paths('/no/such/home')).toEqual(['/no/such/home']);
  expect(paths(join(place, 'system'))).toEqual([join(place, 'system')]);
});

describe('the homes of this machine', () => {
  it('are HOME and what it is, but not root’s, a system directory or nothing', () => {
    const link = join(place, 'link');
    expect(accepted(homes({ environment: { HOME: link } }))).toEqual([link, join(place, 'real')]);
    for (const HOME of ['', '/', '/root', '/usr', 'relative', '/var/empty'])
      expect(accepted(homes({ environment: { HOME } }))).toEqual([]);
  });

  it('are those of people, and of whoever had sudo run the program', () => {
    const users = [
      user('root', 0, '/root'),
      user('zoe', 1000, '/home/zoe/'),
      user('away', 1001, '/data/away'),
      user('www', 33, '/home/www'),
    ];
    expect(accepted(homes({ users }))).toEqual(['/home/zoe']);
    expect(accepted(homes({ users, environment: { SUDO_USER: 'away' } }))).toEqual([
      '/home/zoe',
      '/data/away',
    ]);
    for (const SUDO_USER of ['root', 'nobody-known'])
      expect(accepted(homes({ users, environment: { SUDO_USER } }))).toEqual(['/home/zoe']);
  });

  it('are those in which the store lies', () => {
    expect(homes({ aliases: ['/export/home/zoe/nix/store', '/gpfs/q/nix/store'] })).toEqual([
      { path: '/export/home/zoe', from: 'holds the store /export/home/zoe/nix/store' },
    ]);
  });

  it('say why one was left out, and where one was found first', () => {
    const users = [user('www', 33, '/var/www'), user('zoe', 1000, '/home/zoe')];
    expect(homes({ users, environment: { HOME: '/home/zoe' } })).toEqual([
      {
        path: '/var/www',
        from: '/etc/passwd, user www',
        reason: 'is that of a service (user id 33)',
        service: true,
      },
      { path: '/home/zoe', from: '/etc/passwd, user zoe' },
    ]);
  });

  it('count where one place refuses a directory and another names it', () => {
    const users = [user('away', 1001, '/data/away')];
    expect(homes({ users, environment: { HOME: '/data/away' } })).toEqual([
      { path: '/data/away', from: 'HOME' },
    ]);
  });

  it('are not looked at where that would mount them', () => {
    const home = join(place, 'link');
    const mount = { device: '0:9', root: '/', mountPoint: '/home', type: 'autofs' };
    const users = [user('zoe', 1000, '/home/zoe')];
    expect(accepted(homes({ users, mounts: [mount] }))).toEqual(['/home/zoe']);
    const here = { ...mount, mountPoint: place };
    expect(accepted(homes({ environment: { HOME: home }, mounts: [here] }))).toContain(join(place, 'real'));
  });
});
