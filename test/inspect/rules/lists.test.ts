import { describe, expect, it } from 'vitest';
import type { RuleEdits } from '../../../src/needles/ruleLists.ts';
import { NO_EDITS } from '../../../src/needles/ruleLists.ts';
import { EntryNames } from '../../../src/inspect/entryName.ts';
import { inspectSymlink } from '../../../src/inspect/symlink.ts';
import { Contents, rulesOf, said } from '../support.ts';

const HASH = '5qw3r6a1c0vf2b9d8x7y4z1k3m6n0p2s';
const HOMES = ['/home/noamyr'];

function leaks(content: string, edits: Partial<RuleEdits>): readonly string[] {
  const inspector = new Contents({ homes: HOMES, edits: { ...NO_EDITS, ...edits } });
  return inspector.whole(content).findings.map(said);
}

describe('allowed paths', () => {
  const allow = ['/home/noamyr/public'];

  it.each([
    'x=/home/noamyr/public',
    'x=/home/noamyr/public/lib/a.so\n',
    `/home/noamyr/public/nix/store/${HASH}-x`,
    Buffer.from('-L/home/noamyr/public/x ', 'utf16le').toString('latin1'),
  ])('are no leak: %j', (content) => {
    expect(leaks(content, {})).not.toEqual([]);
    expect(leaks(content, { allow })).toEqual([]);
  });

  it.each([
    'x=/home/noamyr',
    'x=/home/noamyr/publicity',
    'x=/home/noamyr/public.old/x',
    'x=/home/noamyr/public@2',
    'x=/home/noamyr/public/../.ssh/id',
    `x=/home/noamyr/public/${'a/'.repeat(4000)}`,
    'x=/var/home/noamyr/public',
  ])('allow nothing beside them: %j', (content) => {
    expect(leaks(content, { allow })).toEqual(leaks(content, {}));
    expect(leaks(content, { allow })).toHaveLength(1);
  });

  it('hold for link targets, not for what climbs out of them', () => {
    const { set, classifier } = rulesOf({ homes: HOMES, edits: { ...NO_EDITS, allow } });
    expect(inspectSymlink('a', '/home/noamyr/public/x', set, classifier)).toEqual([]);
    expect(inspectSymlink('a', '/home/noamyr/public/../x', set, classifier)).toHaveLength(1);
  });

  it('hold for entry names that spell the whole of them', () => {
    const names = (edit: readonly string[]) => {
      const { set, classifier } = rulesOf({ homes: HOMES, edits: { ...NO_EDITS, allow: edit } });
      return new EntryNames(set, classifier).inspect('share/home', 'noamyr', true);
    };
    expect(names([])).not.toBeNull();
    expect(names(['/home/noamyr/public'])).not.toBeNull();
    expect(names(HOMES)).toBeNull();
  });
});

describe('edited lists', () => {
  it('a placeholder that was added is nobody, one that was removed is somebody', () => {
    const edits = { placeholders: { add: ['alex', 'żółw'], remove: ['runner'] } };
    expect(leaks('/home/alex/x', {})).toEqual(['warning foreign-home bytes /home/alex -']);
    expect(leaks('/home/alex/x', edits)).toEqual(['note placeholder-home bytes /home/alex -']);
    expect(leaks('/home/runner/x', edits)).toEqual(['warning foreign-home bytes /home/runner -']);
    const turtle = Buffer.from('/home/żółw/x').toString('latin1');
    expect(leaks(turtle, edits)[0]).toMatch(/^note/);
  });

  it('a store below an image prefix is a note', () => {
    const edits = { imagePrefixes: { add: ['/chroot'], remove: ['/mnt'] } };
    const store = (prefix: string) => `x=${prefix}/nix/store/${HASH}-x`;
    expect(leaks(store('/chroot'), {})[0]).toMatch(/^error store-alias/);
    expect(leaks(store('/chroot'), edits)[0]).toMatch(/^note store-alias/);
    expect(leaks(store('/mnt'), {})[0]).toMatch(/^note store-alias/);
    expect(leaks(store('/mnt'), edits)[0]).toMatch(/^error store-alias/);
  });
});
