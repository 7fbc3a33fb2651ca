import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { heldKeys, soughtKey } from '../../src/inspect/literal.ts';
import type { Finding } from '../../src/model/facts.ts';

const HOME = '/home/zoe';

/** A finding of a home in a text, in the bytes of a file where nothing else is said. */
function found(evidence: string, changes: Partial<Finding> = {}): Finding {
  const home = changes.home ?? HOME;
  const start = evidence.indexOf(home);
  return {
    rule: 'foreign-home',
    severity: 'warning',
    carrier: 'bytes',
    encoding: 'plain',
    home,
    alias: null,
    hashPart: null,
    location: { entry: 'x', container: [], offset: 0, outerOffset: 0 },
    evidence,
    marked: [start, start + home.length],
    more: 0,
    ...changes,
  };
}

const explains = (source: Finding, output: Finding): boolean =>
  heldKeys(source).includes(soughtKey(output) ?? '');

describe('a foreign home in an output is explained by a source', () => {
  it.each([
    ['in the same words', '"/home/zoe/x.c" in line 7', '"/home/zoe/x.c" in line 7'],
    ['in other words around it', 'see /home/zoe/x.c for more', '-I/home/zoe/x.c'],
    ['in a link', '/home/zoe/x', 'x=/home/zoe/x'],
  ])('that holds the whole path %s', (_, source, output) => {
    expect(explains(found(source), found(output))).toBe(true);
  });

  it.each([
    ['a longer path', '/home/zoe/x.c', '/home/zoe/x.cc'],
    ['a shorter path', '/home/zoe/src/x.c', '/home/zoe/src'],
    ['another path', '/home/zoe/x.c', '/home/zoe/y.c'],
    ['the home alone', '/home/zoe', '/home/zoe'],
    ['the home with a slash', '/home/zoe/', '/home/zoe/'],
  ])('but not %s', (_, source, output) => {
    expect(explains(found(source), found(output))).toBe(false);
  });

  it('whatever its encoding and the member that holds it', () => {
    const packed = { entry: 'a.tar', container: ['b.txt'], offset: 9, outerOffset: 3 };
    const source = found('see /home/zoe/x.c', { encoding: 'utf16le', location: packed });
    expect(explains(source, found('/home/zoe/x.c'))).toBe(true);
  });

  it('up to the end of a Windows path, not of its home', () => {
    const home = 'C:\\Users\\zoe';
    const windows = (evidence: string): Finding => found(evidence, { home });
    expect(explains(windows(`${home}\\src\\x.c"`), windows(`${home}\\src\\x.c`))).toBe(true);
    expect(explains(windows(`${home}\\src\\x.c`), windows(`${home}\\src\\y.c`))).toBe(false);
    expect(explains(windows(home), windows(home))).toBe(false);
  });

  it('in a field only where the same field says so', () => {
    const location = { entry: 'x', container: [], offset: 0, outerOffset: 0, field: 'DT_RUNPATH' };
    const runpath = found('/home/zoe/lib', { carrier: 'runpath', severity: 'error', location });
    const rpath = found('/home/zoe/lib', {
      carrier: 'rpath',
      severity: 'error',
      location: { ...location, field: 'DT_RPATH' },
    });
    const text = found('/home/zoe/lib');
    expect([explains(runpath, runpath), explains(rpath, runpath), explains(text, runpath)]).toEqual([
      true,
      false,
      false,
    ]);
    expect(explains(runpath, text)).toBe(true);
  });

  it('in a link only where the whole target is the same', () => {
    const link = (target: string): Finding => found(target, { carrier: 'symlink', severity: 'error' });
    expect(explains(link('/home/zoe/a b'), link('/home/zoe/a b'))).toBe(true);
    expect(explains(link('/home/zoe/a b'), link('/home/zoe/a c'))).toBe(false);
    const long = `/home/zoe/${'x'.repeat(500)}`;
    expect(explains(link(`${long}y`), link(`${long}z`))).toBe(false);
  });
});

describe('nothing explains', () => {
  const path = '/home/zoe/x.c';

  it.each(['known-home', 'store-alias', 'root-home', 'placeholder-home', 'build-dir'] as const)(
    'a %s',
    (rule) => {
      expect(soughtKey(found(path, { rule }))).toBeNull();
      expect(heldKeys(found(path, { rule }))).toEqual([]);
    },
  );

  it('a finding that stands for others, which nobody saw', () => {
    expect(soughtKey(found(path, { more: 1 }))).toBeNull();
    expect(heldKeys(found(path, { more: 1 }))).not.toEqual([]);
  });

  it('a path whose end is cut off', () => {
    const cut = found(`/home/zoe/${'x'.repeat(111)}`);
    expect([soughtKey(cut), heldKeys(cut)]).toEqual([null, []]);
    expect(soughtKey(found(`/home/zoe/${'x'.repeat(110)}`))).not.toBeNull();
  });

  it('another path, whatever stands around it', () => {
    const text = fc.string({ unit: 'grapheme-ascii', maxLength: 20 });
    const rest = fc.string({ unit: fc.constantFrom(...'ab/._-'), minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(text, rest, text, rest, text, (before, one, between, other, behind) => {
        fc.pre(one !== other && /[^/]/.test(one) && /[^/]/.test(other));
        const source = found(`${before} ${HOME}/${one} ${between}`);
        const output = found(`${between} ${HOME}/${other} ${behind}`);
        expect(explains(source, output)).toBe(false);
        expect(explains(source, found(`${behind} ${HOME}/${one} ${before}`))).toBe(true);
      }),
    );
  });
});
