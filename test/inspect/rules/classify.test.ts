import { describe, expect, it } from 'vitest';
import { severityOf } from '../../../src/inspect/rules/severity.ts';
import { leaksInText } from '../../../src/inspect/rules/text.ts';
import { byteStringOfText } from '../../../src/model/bytes.ts';
import type { NeedleContext } from '../../../src/needles/compile.ts';
import { rulesOf } from '../support.ts';

const OWN = '0c4l1hjbxz8m6n0gi9g2a8m0ry1xv4s7';
const HASH = '1c4l1hjbxz8m6n0gi9g2a8m0ry1xv4s7';

/** The leaks of a text in plain bytes: `severity rule what`, where `what` is what is marked. */
function leaks(text: string, known: Partial<NeedleContext> = {}): readonly string[] {
  const { set, classifier } = rulesOf(known);
  const bytes = byteStringOfText(text);
  return leaksInText(bytes, set, classifier).map(
    (leak) => `${severityOf(leak, 'bytes')} ${leak.rule} ${bytes.slice(leak.start, leak.end)}`,
  );
}

describe('a known home', () => {
  const homes = [
    '/home/zoe',
    '/data/people/zoe',
    '/srv/home/home/y',
    '/export/home/x',
    '/home/a b',
    '/home/zoë',
  ];

  it.each([
    ['/home/zoe', '/home/zoe'],
    ['-L/home/zoe/lib', '/home/zoe'],
    ['argument/home/zoe/x/main.goruntime', '/home/zoe'],
    ['\xff/home/zoe\xff', '/home/zoe'],
    ['../../../home/zoe', '/home/zoe'],
    ['https://example.com/home/zoe', '/home/zoe'],
    ['/var/home/zoe', '/var/home/zoe'],
    ['/home//zoe/x', '/home//zoe'],
    ['x/data/people/zoe...', '/data/people/zoe'],
    ['x/srv/home/home/y/', '/srv/home/home/y'],
    ['x/export/home/x/', '/export/home/x'],
    ['x/home/a b/', '/home/a b'],
    ['x/home/zoë/', '/home/zo\xc3\xab'],
  ])('is found in %j', (text, what) => {
    expect(leaks(text, { homes })).toContain(`error known-home ${what}`);
  });

  it.each([
    '/home/zoe2',
    '/home/zoe-old',
    '/home/zoe.old/',
    '/data/people/zoes',
    '/home/zo',
    '/srv/home/home/yy',
  ])('is not in %j', (text) => {
    expect(leaks(text, { homes }).filter((leak) => leak.includes('known-home'))).toEqual([]);
  });

  it('is found where one is the beginning of another', () => {
    const both = { homes: ['/data/zo', '/data/zo/e', '/data/zoe'] };
    expect(leaks('/data/zoe/x', both)).toEqual(['error known-home /data/zoe']);
    expect(leaks('/data/zo/x', both)).toEqual(['error known-home /data/zo']);
  });

  it('that holds a magic is found', () => {
    expect(leaks('x/data/kolya/x', { homes: ['/data/kolya'] })).toEqual(['error known-home /data/kolya']);
  });

  it('is root, where that is said', () => {
    expect(leaks(' /root/x', { homes: ['/root'] })).toEqual(['error known-home /root']);
  });
});

describe('the user of a known home', () => {
  const known = { homes: ['/home/zoe', '/home/zoë', '/home/zoe@corp', '/home/a b', '/home/4711'] };

  it.each([
    '/Users/zoe/x',
    '/var/home/zoe',
    '/export/home/zoe',
    '/usr/home/zoe',
    '/System/Volumes/Data/Users/zoe',
    '/mnt/c/Users/zoe',
    '/c/Users/zoe',
    'C:\\Users\\zoe\\x',
    'sourceC:\\Users\\zoe\\x',
    'C:/Users/zoe/x',
    'argument/Users/zoe/main.goruntime',
    'main.go/Users/zoe/x',
    '/Users/zoë/x',
    '/Users/zoe@corp/x',
    '/Users/a b/x',
    'C:\\Users\\a b\\x',
    '/Users/4711/x',
    'file:///Users/zoe',
    'in /Users/zoe.',
  ])('is found in %j', (text) => {
    expect(leaks(text, known).join()).toMatch(/^error known-home /);
  });

  it.each([
    'https://example.com/Users/zoe/x',
    'example.com/Users/zoe/x',
    '/Users/zoes/x',
    '/Users/zoe.old/x',
    '/Users/a bc/x',
    '/Users/47110/x',
    'Users/zoe',
    '\\\\server\\Users\\zoe',
  ])('is not in %j', (text) => {
    expect(leaks(text, known).filter((leak) => leak.includes('known-home'))).toEqual([]);
  });
});

describe('someone else’s home', () => {
  it.each([
    ['/home/alice/x', 'warning foreign-home /home/alice'],
    ['"/Users/alice"', 'warning foreign-home /Users/alice'],
    ['/home/alice.', 'warning foreign-home /home/alice'],
    ['/home/ülkü/x', 'warning foreign-home /home/\xc3\xbclk\xc3\xbc'],
    ['/home/alice“x', 'warning foreign-home /home/alice'],
    ['/home/20231234/x', 'warning foreign-home /home/20231234'],
    ['D:\\Users\\alice\\x', 'warning foreign-home D:\\Users\\alice'],
    ['../../home/alice/x', 'warning foreign-home /home/alice'],
    [`/home/alice/nix/store/${HASH}-x`, 'error store-alias /home/alice'],
  ])('%j', (text, leak) => {
    expect(leaks(text)).toEqual([leak]);
  });

  it.each([
    'boost/spirit/home/qi.hpp',
    'https://example.com/home/alice',
    'chrome/Users/alice',
    '/homepage',
    '/home/',
    '/home/ x',
    '/home/1/',
    '/homeless-shelter',
    '/nix/store',
  ])('not %j', (text) => {
    expect(leaks(text)).toEqual([]);
  });

  it.each([
    '/home/$USER',
    '/home/%u',
    '/home/*',
    '/home/<user>',
    '/home/user/x',
    '/home/linuxbrew/.linuxbrew',
  ])('nobody’s: %j', (text) => {
    expect(leaks(text).map((leak) => leak.split(' ', 2).join(' '))).toEqual(['note placeholder-home']);
  });
});

describe('a store alias', () => {
  it('is found once, by its hash part', () => {
    expect(leaks(`x /gpfs/u17/nix/store/${HASH}-name/bin`)).toEqual([
      'error store-alias /gpfs/u17/nix/store',
    ]);
  });

  it('is found by the output’s own hash wherever that stands behind a slash', () => {
    expect(leaks(`/gpfs/pile/${OWN}-name`, { hashParts: [OWN] })).toEqual(['error store-alias /gpfs/pile']);
    expect(leaks(`gpfs-${OWN}-name`, { hashParts: [OWN] })).toEqual([]);
  });

  it('is found without a hash where it is known', () => {
    const known = { aliases: ['/gpfs/u17/nix/store'] };
    expect(leaks('argument/gpfs/u17/nix/store/.links', known)).toEqual([
      'error store-alias /gpfs/u17/nix/store',
    ]);
    expect(leaks('/gpfs/u17/nix/store2', known)).toEqual([]);
  });

  it('in a known home is that home’s leak, and names the alias', () => {
    const { set, classifier } = rulesOf({ homes: ['/home/u'] });
    expect(leaksInText(`/home/u/nix/store/${HASH}-x`, set, classifier)).toMatchObject([
      { rule: 'known-home', home: '/home/u', alias: '/home/u/nix/store', hashPart: HASH },
    ]);
  });

  it('is not the declared store dir, though it lies in a known home; the rest of that home is a leak', () => {
    const known = { homes: ['/home/u'], storeDir: '/home/u/nix/store', hashParts: [OWN] };
    expect(leaks(`/home/u/nix/store/${OWN}-x`, known)).toEqual([]);
    expect(leaks(`/home/u/nix/store/${OWN}-x:/home/u/.ssh`, known)).toEqual(['error known-home /home/u']);
    expect(leaks('/home/u/nix/store-old', known)).toEqual(['error known-home /home/u']);
    // a way out of the store dir leads into the home; one within a store path does not
    expect(leaks('/home/u/nix/store/../../.ssh', known)).toEqual(['error known-home /home/u']);
    expect(leaks(`/home/u/nix/store/${OWN}-x/lib/../../../../x`, known)).toEqual([
      'error known-home /home/u',
    ]);
    expect(leaks(`/home/u/nix/store/${OWN}-x/lib/../share`, known)).toEqual([]);
  });

  it('is found behind many homes in one run', () => {
    const run = `${'/home/a'.repeat(400)}/nix/store/${HASH}-x`;
    expect(leaks(run)).toEqual(['error store-alias /home/a']);
  });
});

it('build directories are notes', () => {
  expect(leaks('/tmp/nix-build-x.drv-0/src')).toEqual(['note build-dir /tmp/nix-build-']);
  expect(leaks('/private/tmp/nix-build-x')).toEqual(['note build-dir /private/tmp/nix-build-']);
  expect(leaks('/nix/var/nix/builds/nix-1-2/x')).toEqual(['note build-dir /nix/var/nix/builds/']);
});

it('root’s home is a warning in bytes, where a path starts', () => {
  expect(leaks(' /root/.ssh')).toEqual(['warning root-home /root']);
  expect(leaks('boot/root/x')).toEqual([]);
});
