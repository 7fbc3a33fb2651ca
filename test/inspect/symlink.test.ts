import { describe, expect, it } from 'vitest';
import { climb, inspectSymlink } from '../../src/inspect/symlink.ts';
import { byteStringOfText } from '../../src/model/bytes.ts';
import type { NeedleContext } from '../../src/needles/compile.ts';
import { rulesOf, said } from './support.ts';

const HASH = '1c4l1hjbxz8m6n0gi9g2a8m0ry1xv4s7';

function judged(entry: string, target: string, known: Partial<NeedleContext> = {}): readonly string[] {
  const { set, classifier } = rulesOf(known);
  return inspectSymlink(entry, byteStringOfText(target), set, classifier).map(said);
}

describe('a link target', () => {
  const known = { homes: ['/data/people/zoe', '/home/noamyr'] };

  it.each([
    ['link', '/home/noamyr', 'error known-home symlink /home/noamyr -'],
    ['link', '/data/people/zoe/x', 'error known-home symlink /data/people/zoe -'],
    ['link', '/data//people/./zoe', 'error known-home symlink /data/people/zoe -'],
    ['link', '/data/x/../people/zoe', 'error known-home symlink /data/people/zoe -'],
    ['link', `${'x/'.repeat(2039)}/home/noamyr`, 'error known-home symlink /home/noamyr -'],
    ['link', '../../../data/people/x/../zoe', 'error known-home symlink /data/people/zoe -'],
    ['a/b/link', '../home/noamyr', 'error known-home symlink /home/noamyr -'],
    ['link', '/Users/noamyr', 'error known-home symlink /home/noamyr -'],
    ['link', '/home/alice', 'error foreign-home symlink /home/alice -'],
    ['link', '/home/ülkü/x', 'error foreign-home symlink /home/\xc3\xbclk\xc3\xbc -'],
    ['a/link', '../../../home/alice', 'error foreign-home symlink /home/alice -'],
    ['link', '../../../home/alice', 'error foreign-home symlink /home/alice -'],
    ['link', '/root', 'error root-home symlink /root -'],
    ['link', '/root/.ssh', 'error root-home symlink /root -'],
    ['link', '/home/user', 'note placeholder-home symlink /home/user -'],
    ['link', `/gpfs/nix/store/${HASH}-x`, 'error store-alias symlink - /gpfs/nix/store'],
    ['link', `../../../gpfs/nix/store/${HASH}-x`, 'error store-alias symlink - /gpfs/nix/store'],
    ['', `../../gpfs/nix/store/${HASH}-x`, 'error store-alias symlink - /gpfs/nix/store'],
  ])('of %s: %s', (entry, target, finding) => {
    expect(judged(entry, target, known)).toContain(finding);
  });

  it.each([
    ['link', `/nix/store/${HASH}-x/bin/x`],
    ['link', `//nix/store/${HASH}-x`],
    ['link', `../${HASH}-x/lib`],
    ['share/doc/link', '../home/index.html'],
    ['share/doc/link', '../root/x'],
    ['link', 'home/alice'],
    ['link', '/home'],
    ['link', '/etc/passwd'],
    ['link', '../../../usr/bin/env'],
    ['link', '/proc/self/fd'],
  ])('of %s is clean: %s', (entry, target) => {
    expect(judged(entry, target, known)).toEqual([]);
  });
});

describe('climb', () => {
  it.each([
    ['a/link', 'x', null],
    ['a/link', '../x', null],
    ['a/link', '../../x', '/nix/store/x'],
    ['link', '../x', '/nix/store/x'],
    ['link', '../../x', '/nix/x'],
    ['link', '../../../x', '/x'],
    ['link', '../../../../../x', '/x'],
    ['link', 'a/../../x', '/nix/store/x'],
    ['', 'x', '/nix/store/x'],
    ['', '../x', '/nix/x'],
    ['link', '/x', null],
  ])('from %j to %j: %j', (entry, target, where) => {
    expect(climb(entry, target, '/nix/store')).toBe(where);
  });
});
