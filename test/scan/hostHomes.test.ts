import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { homeAndReality, hostHomes } from '../../src/scan/hostHomes.ts';

let place = '';

beforeAll(() => {
  place = realpathSync(mkdtempSync('/tmp/nar-scan-homes-'));
  mkdirSync(join(place, 'real'));
  symlinkSync('real', join(place, 'link'));
  symlinkSync('/usr', join(place, 'system'));
});

afterAll(() => rmSync(place, { recursive: true, force: true }));

it('a home that was named counts as what it really is, too', () => {
  expect(homeAndReality(join(place, 'link'))).toEqual([join(place, 'link'), join(place, 'real')]);
  expect(homeAndReality(join(place, 'real'))).toEqual([join(place, 'real')]);
  expect(homeAndReality('/no/such/home')).toEqual(['/no/such/home']);
  expect(homeAndReality(join(place, 'system'))).toEqual([join(place, 'system')]);
});

it('HOME is a home of this machine, but not root’s, a system directory or nothing', () => {
  const link = join(place, 'link');
  expect(hostHomes({ HOME: link })).toEqual(expect.arrayContaining([link, join(place, 'real')]));
  const others = hostHomes({});
  for (const HOME of ['', '/', '/root', '/usr', 'relative', '/var/empty'])
    expect(hostHomes({ HOME })).toEqual(others);
});
