import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  byteStringOfText,
  bytesOfByteString,
  displayText,
  exactText,
  fsPath,
} from '../../src/model/bytes.ts';

const bytes = fc.uint8Array({ maxLength: 40 }).map((array) => Buffer.from(array));

describe('a byte string', () => {
  it('keeps every byte', () => {
    fc.assert(
      fc.property(bytes, (raw) => {
        const value = raw.toString('latin1');
        expect(bytesOfByteString(value)).toEqual(raw);
        expect(Buffer.from(fsPath(value))).toEqual(raw);
      }),
    );
  });

  it('of text gives the text back', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        const value = byteStringOfText(text);
        expect(bytesOfByteString(value)).toEqual(Buffer.from(text));
        expect([exactText(value), displayText(value)]).toEqual([text, text]);
      }),
    );
  });

  it('has text only where its bytes are UTF-8, and one for people always', () => {
    fc.assert(
      fc.property(bytes, (raw) => {
        const value = raw.toString('latin1');
        const text = exactText(value);
        if (text !== null) expect(Buffer.from(text)).toEqual(raw);
        expect(displayText(value)).toBe(raw.toString('utf8'));
      }),
    );
    expect(exactText('caf\xe9')).toBeNull();
    expect(displayText('caf\xe9')).toBe('caf\ufffd');
  });

  it('does not lose a byte order mark', () => {
    expect(exactText('\xef\xbb\xbfx')).toBe('\ufeffx');
  });

  it('compares as its bytes do', () => {
    fc.assert(
      fc.property(bytes, bytes, (a, b) => {
        const [one, other] = [a.toString('latin1'), b.toString('latin1')];
        expect(one < other).toBe(Buffer.compare(a, b) < 0);
        expect(one === other).toBe(a.equals(b));
      }),
    );
  });
});
