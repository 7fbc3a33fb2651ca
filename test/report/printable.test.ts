import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { printableBytes, printableJson, printableText } from '../../src/report/printable.ts';
import { anyBytes, anyText } from './arbitraryFacts.ts';

const RAW = /[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]/u;

describe('what a terminal may show', () => {
  it('keeps readable text of any script', () => {
    expect(printableText('/home/zażółć/日本 🙂')).toBe('/home/zażółć/日本 🙂');
    expect(printableBytes(Buffer.from('/home/zażółć/🙂').toString('latin1'))).toBe('/home/zażółć/🙂');
  });

  it('spells out controls, escapes, bidi controls and bytes that are not UTF-8', () => {
    expect(printableText('a\n\t\r\0\x1b[1m\x7f\x9b\u202e')).toBe('a\\n\\t\\r\\0\\x1b[1m\\x7f\\x9b\\u{202e}');
    expect(printableBytes('a\xff\xc3(\xed\xa0\x80')).toBe('a\\xff\\xc3(\\xed\\xa0\\x80');
    expect(printableBytes('\xf4\x90\x80\x80\xc0\xaf')).toBe('\\xf4\\x90\\x80\\x80\\xc0\\xaf');
  });

  it('never lets an unprintable character through', () => {
    fc.assert(fc.property(anyText, (text) => !RAW.test(printableText(text))));
    fc.assert(fc.property(anyBytes, (bytes) => !RAW.test(printableBytes(bytes))));
  });

  it('writes JSON that is printable and means the same', () => {
    fc.assert(
      fc.property(fc.array(anyText), (value) => {
        const json = printableJson(value);
        expect(RAW.test(json)).toBe(false);
        expect(JSON.parse(json)).toEqual(value);
      }),
    );
  });
});
