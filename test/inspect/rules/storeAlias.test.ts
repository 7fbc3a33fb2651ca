import { describe, expect, it } from 'vitest';
import { storeAliasBefore } from '../../../src/inspect/rules/storeAlias.ts';
import { bytesOfByteString } from '../../../src/model/bytes.ts';
import { compileNeedles, type NeedleContext } from '../../../src/needles/compile.ts';
import { context } from '../support.ts';

const OWN = '0c4l1hjbxz8m6n0gi9g2a8m0ry1xv4s7';
const OTHER = '1c4l1hjbxz8m6n0gi9g2a8m0ry1xv4s7';

/** What stands before the last hash part of a text: `severity alias`, or clean. */
function judged(text: string, known: Partial<NeedleContext> = {}): string {
  const memory = bytesOfByteString(text);
  const set = compileNeedles(context({ hashParts: [OWN], ...known }));
  const hash = Math.max(text.lastIndexOf(OWN), text.lastIndexOf(OTHER));
  const span = { memory, lo: 0, hi: memory.length };
  const found = storeAliasBefore(span, hash, set);
  if (found === null) return 'clean';
  expect(memory.subarray(found.start, found.start + 1).toString()).toBe('/');
  expect(found.end).toBeLessThan(hash);
  return `${found.severity} ${found.alias}`;
}

describe('a store path of any output', () => {
  it.each([
    // the logical store dir, as it is and spelled in odd ways
    ['/nix/store/%-x', 'clean'],
    ['-L/nix/store/%-x', 'clean'],
    ['argument/nix/store/%-x', 'clean'],
    ['//nix/store/%-x', 'clean'],
    ['file:///nix/store/%-x', 'clean'],
    ['-I//nix/store/%-x', 'clean'],
    ['/nix//store/%-x', 'clean'],
    ['/nix/store//%-x', 'clean'],
    ['/./nix/store/%-x', 'clean'],
    ['/build/src/../../nix/store/%-x', 'clean'],
    // relative
    ['../nix/store/%-x', 'clean'],
    ['../../x/nix/store/%-x', 'clean'],
    ['$ORIGIN/x/nix/store/%-x', 'clean'],
    ['$out/x/nix/store/%-x', 'clean'],
    ['@out@/x/nix/store/%-x', 'clean'],
    ['rootfs/nix/store/%-x', 'clean'],
    ['rootfs/x/nix/store/%-x', 'clean'],
    ['share/doc/store/%-x', 'clean'],
    // packed strings
    [`/nix/store/${OTHER}-a/etc/x/nix/store/%-x`, 'clean'],
    ['/etc/protocols/nix/store/%-mailcap', 'clean'],
    ['/usr/share/zoneinfo/nix/store/%-tzdata', 'clean'],
    ['/dev/null/nix/store/%-x', 'clean'],
    // hosts
    ['https://cache.example.org/nix/store/%-x', 'clean'],
    ['https://cache.example.org/x/nix/store/%-x', 'clean'],
    // images
    ['/sysroot/nix/store/%-x', 'note /sysroot/nix/store'],
    ['/mnt/nix/store/%-x', 'note /mnt/nix/store'],
    ['/nix/.ro-store/%-x', 'note /nix/.ro-store'],
    // aliases
    ['/home/u/nix/store/%-x', 'error /home/u/nix/store'],
    ['"/gpfs/u17/x/nix/store/%-x', 'error /gpfs/u17/x/nix/store'],
    ['-L/gpfs/u17/nix/store/%-x', 'error /gpfs/u17/nix/store'],
    ['-isystem/gpfs/u17/nix/store/%-x', 'error /gpfs/u17/nix/store'],
    ['file:///gpfs/u17/nix/store/%-x', 'error /gpfs/u17/nix/store'],
    ['/gpfs//u17/./nix/store/%-x', 'error /gpfs/u17/nix/store'],
    ['/gpfs/x/../u17/nix/store/%-x', 'error /gpfs/u17/nix/store'],
    ['\x18/gpfs/u17/nix/store/%-x', 'error /gpfs/u17/nix/store'],
    ['\x80/gpfs/u17/nix/store/%-x', 'error /gpfs/u17/nix/store'],
    ['P/gpfs/u17/nix/store/%-x', 'error /gpfs/u17/nix/store'],
    ['/opt/nix/store/%-x', 'error /opt/nix/store'],
    ['/gpfs/store/%-x', 'error /gpfs/store'],
  ])('%s: %s', (text, expected) => {
    expect(judged(text.replace('%', OTHER))).toBe(expected);
  });

  it('may stand behind another constant, or in a directory: a warning', () => {
    expect(judged(`argument/gpfs/u17/nix/store/${OTHER}-x`)).toBe('warning /gpfs/u17/nix/store');
  });

  it('may stand under the usual store dirs where the logical one is another', () => {
    const elsewhere = { storeDir: '/data/store' };
    expect(judged(`/nix/store/${OTHER}-x`, elsewhere)).toBe('clean');
    expect(judged(`/gnu/store/${OTHER}-x`, elsewhere)).toBe('clean');
    expect(judged(`/mnt/nix/store/${OTHER}-x`, elsewhere)).toBe('note /mnt/nix/store');
    expect(judged(`/data/store/${OTHER}-x`, elsewhere)).toBe('clean');
    expect(judged(`/nix/store/${OWN}-x`, elsewhere)).toBe('error /nix/store');
  });
});

describe('a store path that is the output or a reference', () => {
  it.each([
    ['/nix/store/%-x', 'clean'],
    ['//nix/store/%-x', 'clean'],
    ['/nix/store//%-x', 'clean'],
    ['argument/nix/store/%-x', 'clean'],
    ['/etc/protocols/nix/store/%-x', 'clean'],
    ['../../%-x', 'clean'],
    ['argument/gpfs/u17/nix/store/%-x', 'error /gpfs/u17/nix/store'],
    ['/gpfs/pile/%-x', 'error /gpfs/pile'],
    ['.text/gpfs/u17/nix/store/%-x', 'error /gpfs/u17/nix/store'],
  ])('%s: %s', (text, expected) => {
    expect(judged(text.replace('%', OWN))).toBe(expected);
  });
});
