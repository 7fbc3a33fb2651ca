import type { ByteString } from '../../model/bytes.ts';
import { printableBytes } from '../../report/printable.ts';

/** ASCII characters that a shell takes as they are, wherever they stand; a colon where it says nothing of its own. */
const PLAIN = /^[%+,\-./0-9:@A-Z\]_a-z]$/;
const ESCAPES: Readonly<Record<string, string>> = {
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
};

/** ASCII text that GNU programs put in double quotes where it holds a single one. */
const FIT_FOR_DOUBLE_QUOTES = /^[#~]?[ %'+,\-./0-9:@A-Z\]_a-z]*$/;

/** One character of UTF-8, or any other byte. */
const UNIT =
  /[\x00-\x7f]|[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}|[\x80-\xff]/g;

/**
 * A name as GNU programs show it, and as shells read it again: as it is, or in quotes, and what is
 * unprintable as `$'\n'` or `$'\377'`.
 * @param colon whether a colon calls for quotes: it does in front of a message
 */
export function quoted(name: ByteString, colon: boolean): ByteString {
  if (name === '') return "''";
  const units = name.match(UNIT) ?? [];
  const plain = units.every((unit, index) => isPlain(unit, index, units.length));
  if (plain && !(colon && name.includes(':'))) return name;
  const ascii = units.filter((unit) => unit.length === 1 || !isPrintable(unit)).join('');
  if (name.includes("'") && FIT_FOR_DOUBLE_QUOTES.test(ascii)) return `"${name}"`;
  let text = "'";
  let escaping = false;
  for (const unit of units) {
    const printable = isPrintable(unit);
    if (!printable && !escaping) text += "'$'";
    // a quote leaves the quotes that are open by itself
    if (printable && escaping && unit !== "'") text += "''";
    if (!printable) text += ESCAPES[unit] ?? octal(unit);
    else text += unit === "'" ? "'\\''" : unit;
    escaping = !printable;
  }
  return `${text}'`;
}

function isPlain(unit: string, index: number, count: number): boolean {
  if (unit === '#' || unit === '~') return index > 0;
  if (unit === '{' || unit === '}') return count > 1;
  return unit.charCodeAt(0) < 0x80 ? PLAIN.test(unit) : isPrintable(unit);
}

function isPrintable(unit: string): boolean {
  return !printableBytes(unit).startsWith('\\') || unit === '\\';
}

function octal(unit: string): string {
  return Array.from(unit, (byte) => `\\${byte.charCodeAt(0).toString(8).padStart(3, '0')}`).join('');
}
