import { describe, expect, it } from 'vitest';
import { mountOf, otherNames, parseMountinfo } from '../../src/nix/mountinfo.ts';

const line = (device: string, root: string, mountPoint: string, type = 'ext4', optional = ''): string =>
  `36 35 ${device} ${root} ${mountPoint} rw,noatime ${optional}${optional === '' ? '' : ' '}- ${type} /dev/x rw`;
const names = (directory: string, ...lines: readonly string[]): readonly string[] =>
  otherNames(parseMountinfo(lines.join('\n')), directory);

const ROOT = line('8:1', '/', '/');

describe('the text of mountinfo', () => {
  it('is read with any number of optional fields and with escapes', () => {
    const text = line('8:1', '/a\\040b', '/c\\134d\\012', 'ext4', 'shared:1 master:2');
    expect(parseMountinfo(text)).toEqual([
      { device: '8:1', root: '/a b', mountPoint: '/c\\d\n', type: 'ext4' },
    ]);
  });

  it('may hold lines of another shape, which are left out', () => {
    expect(
      parseMountinfo(`\nnonsense\n36 35 8:1 / /mnt rw\n36 35 0:4 net:[4026531840] /run/ns rw - nsfs nsfs rw`),
    ).toEqual([]);
  });
});

describe('other names of a directory', () => {
  it('are none on a plain file system', () => {
    expect(names('/nix/store', ROOT)).toEqual([]);
    expect(names('/nix/store')).toEqual([]);
  });

  it('are where a bind mount of it or of a directory above it comes from', () => {
    expect(names('/nix/store', ROOT, line('8:1', '/home/u/nix', '/nix'))).toEqual(['/home/u/nix/store']);
    expect(names('/nix/store', ROOT, line('8:1', '/home/u/nix/store', '/nix/store'))).toEqual([
      '/home/u/nix/store',
    ]);
  });

  it('begin where the file system is mounted, and within it where that may be out of sight', () => {
    const home = line('8:2', '/', '/home');
    expect(names('/nix/store', ROOT, home, line('8:2', '/u/nix', '/nix'))).toEqual([
      '/home/u/nix/store',
      '/u/nix/store',
    ]);
    expect(names('/nix/store', line('0:30', '/', '/'), line('8:2', '/u/nix', '/nix'))).toEqual([
      '/u/nix/store',
    ]);
  });

  it('go by the mount that lies on top', () => {
    const covered = line('8:1', '/home/u/nix', '/nix');
    expect(names('/nix/store', ROOT, covered, line('8:3', '/', '/nix/store', 'tmpfs'))).toEqual([]);
    expect(
      mountOf(parseMountinfo([covered, line('8:9', '/', '/nix')].join('\n')), '/nix/store')?.device,
    ).toBe('8:9');
    expect(names('/nixos/x', ROOT, covered)).toEqual([]);
  });

  it('do not begin with a subvolume', () => {
    expect(names('/nix/store', line('0:30', '/@/u/nix', '/nix', 'btrfs'))).toEqual([
      '/@/u/nix/store',
      '/u/nix/store',
    ]);
  });

  it('leave out what the store is called already', () => {
    expect(names('/nix/store', ROOT, line('8:1', '/nix/store', '/nix/store'))).toEqual([]);
  });
});
