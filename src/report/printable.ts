import type { ByteString } from '../model/bytes.ts';

/**
 * What must never reach a terminal raw: controls, format characters (bidi controls, joiners,
 * tags), line and paragraph separators, lone surrogates, unassigned and private code points.
 */
const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}]/gu;

/** One well-formed UTF-8 sequence in a byte string (Unicode 16, table 3-7), or any other single byte. */
const UTF8_UNIT =
  /[\x00-\x7f]+|(?:[\xc2-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]{2}|\xed[\x80-\x9f][\x80-\xbf]|\xf0[\x90-\xbf][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}|\xf4[\x80-\x8f][\x80-\xbf]{2})+|[\x80-\xff]/g;

/** Runs of what is not plain ASCII text: only these need the slower look at Unicode's classes. */
const NOT_PLAIN = /[^ -~]+/g;

const PLAIN = /^[ -~]*$/;

const SHORT: Readonly<Record<string, string>> = { '\0': '\\0', '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** Text as a terminal may show it: what is unprintable is written as `\n`, `\x1b` or `\u{202e}`. */
export function printableText(text: string): string {
  // building the class of all unprintable characters takes 15 ms: plain text does without
  if (PLAIN.test(text)) return text;
  return text.replace(UNPRINTABLE, (character) => {
    const short = SHORT[character];
    if (short !== undefined) return short;
    const code = character.codePointAt(0) ?? 0;
    const hex = code.toString(16);
    return code < 0xa0 ? `\\x${hex.padStart(2, '0')}` : `\\u{${hex}}`;
  });
}

/** Bytes as a terminal may show them: UTF-8 as {@link printableText}, any other byte as `\xff`. */
export function printableBytes(bytes: ByteString): string {
  return bytes.replace(UTF8_UNIT, (unit) => {
    if (unit.charCodeAt(0) < 0x80) return printableText(unit);
    if (unit.length === 1) return `\\x${unit.charCodeAt(0).toString(16)}`;
    return printableText(Buffer.from(unit, 'latin1').toString('utf8'));
  });
}

/** JSON text whose strings hold no raw unprintable character; the values stay the same. */
export function printableJson(value: unknown): string {
  return JSON.stringify(value).replace(NOT_PLAIN, (run) => run.replace(UNPRINTABLE, unicodeEscapes));
}

function unicodeEscapes(character: string): string {
  let escaped = '';
  for (let unit = 0; unit < character.length; unit++) {
    escaped += `\\u${character.charCodeAt(unit).toString(16).padStart(4, '0')}`;
  }
  return escaped;
}
