import { describe, expect, it } from 'vitest';
import { Search } from './support.ts';

const characters = (text: string, spell: (character: string) => string): string =>
  text.replaceAll(/[^A-Za-z0-9_./]/gu, spell);
const units = (text: string, digits: (code: number) => string): string =>
  text.replaceAll(/[^\0-\x7f]/g, (unit) => `\\u${digits(unit.charCodeAt(0))}`);
const code = (character: string): number => character.codePointAt(0) as number;
const hex4 = (value: number): string => value.toString(16).padStart(4, '0');

/** What programs make of a path that holds more than letters, digits and slashes. */
const WRITERS: Readonly<Record<string, (path: string) => string>> = {
  'a URL': (path) => `file://${encodeURI(path)}`,
  'a URL in small digits': (path) => encodeURI(path).replaceAll(/%../g, (escape) => escape.toLowerCase()),
  'a part of a URL': (path) => `u=${encodeURIComponent(path)}&x`,
  'JSON of ASCII': (path) => `["${units(path, hex4)}"]`,
  'JSON of ASCII in capital digits': (path) => units(path, (value) => hex4(value).toUpperCase()),
  'JSON with escaped slashes': (path) => units(path, hex4).replaceAll('/', '\\/'),
  'JSON of escapes alone': (path) => Array.from(path, (character) => `\\u${hex4(code(character))}`).join(''),
  'bytes in Python': (path) =>
    Array.from(Buffer.from(path), (byte) =>
      byte < 0x80 ? String.fromCharCode(byte) : `\\x${byte.toString(16)}`,
    ).join(''),
  HTML: (path) => characters(path, (character) => `&#${code(character)};`),
  'HTML in hex': (path) => characters(path, (character) => `&#x${code(character).toString(16)};`),
};

const HOMES = ['/home/josé', '/home/ünal', '/home/my name', '/data/josé müller', '/ж/я', '/gpfs/50%/z'];

describe('a home that programs cannot write as it is', () => {
  for (const home of HOMES) {
    const search = new Search({ homes: [home] });
    it.each(Object.keys(WRITERS))(`${home} is found in %s`, (writer) => {
      const write = WRITERS[writer] as (path: string) => string;
      const errors = search.findings(Buffer.from(`x ${write(`${home}/src/x.c`)}`));
      expect(errors.map((finding) => [finding.rule, finding.home])).toEqual([
        ['known-home', Buffer.from(home).toString('latin1')],
      ]);
      const other = search.findings(Buffer.from(`x ${write(`${home}x/src/x.c`)}`));
      expect(other.map(({ rule }) => rule)).not.toContain('known-home');
    });
  }

  it('is found where letters are escaped for no reason', () => {
    const search = new Search({ homes: ['/home/noamyr'] });
    for (const text of ['/home/no%61myr/x', '"/home/\\u006eoamyr"', '/home/&#110;oamyr']) {
      expect(
        search.findings(text).map(({ rule }) => rule),
        text,
      ).toEqual(['known-home']);
    }
    for (const text of ['/home/build\\nx/noamyr', '/home/build" %6eoamyr']) {
      expect(
        search.findings(text).map(({ rule }) => rule),
        text,
      ).not.toContain('known-home');
    }
  });
});
