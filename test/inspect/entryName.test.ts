import { describe, expect, it } from 'vitest';
import { EntryNames } from '../../src/inspect/entryName.ts';
import { byteStringOfText } from '../../src/model/bytes.ts';
import type { NeedleContext } from '../../src/needles/compile.ts';
import { rulesOf, said } from './support.ts';

/** What the last name of a path leads to. */
function judged(path: string, known: Partial<NeedleContext> = {}, isDirectory = true): string | null {
  const { set, classifier } = rulesOf(known);
  const bytes = byteStringOfText(path);
  const slash = bytes.lastIndexOf('/');
  const names = new EntryNames(set, classifier);
  const found = names.inspect(bytes.slice(0, Math.max(0, slash)), bytes.slice(slash + 1), isDirectory);
  return found === null ? null : said(found);
}

describe('names joined to a path', () => {
  const known = { homes: ['/home/zoe', '/data/people/max', '/home/a b'], aliases: ['/gpfs/nix/store'] };

  it.each([
    ['home/zoe', 'error known-home entry-name /home/zoe -'],
    ['share/root/home/zoe', 'error known-home entry-name /home/zoe -'],
    ['share/Users/zoe', 'error known-home entry-name /home/zoe -'],
    ['lib/export/home/zoe', 'error known-home entry-name /home/zoe -'],
    ['Users/a b', 'error known-home entry-name /home/a b -'],
    ['a/data/people/max', 'error known-home entry-name /data/people/max -'],
    ['gpfs/nix/store', 'error store-alias entry-name - /gpfs/nix/store'],
    ['home/alice', 'error foreign-home entry-name /home/alice -'],
    ['Users/alice', 'error foreign-home entry-name /Users/alice -'],
    ['var/home/alice', 'error foreign-home entry-name /var/home/alice -'],
    ['mnt/c/Users/alice', 'error foreign-home entry-name /mnt/c/Users/alice -'],
    ['home/ülkü', 'error foreign-home entry-name /home/\xc3\xbclk\xc3\xbc -'],
    ['home/20231234', 'error foreign-home entry-name /home/20231234 -'],
    ['home/user', 'note placeholder-home entry-name /home/user -'],
    ['root', 'warning root-home entry-name /root -'],
  ])('%s', (path, finding) => {
    expect(judged(path, known)).toBe(finding);
  });

  it.each([
    'home',
    'home/zoe/x',
    'home/zoes/x',
    'share/home/alice',
    'share/data/zoe',
    'zoe',
    'people/max',
    'share/root',
    'homes/zoe',
    'Users',
  ])('%s is clean', (path) => {
    expect(judged(path, known)).toBeNull();
  });

  it('root is a home only as a directory', () => {
    expect(judged('root', {}, false)).toBeNull();
  });

  it('marks what leaks in the path', () => {
    const { set, classifier } = rulesOf(known);
    const found = new EntryNames(set, classifier).inspect('share/Users', 'zoe', true);
    expect(found?.evidence.slice(...(found?.marked ?? []))).toBe('/Users/zoe');
  });
});
