import type { Encoding } from '../../model/facts.ts';
import type { Span } from '../rules/boundaries.ts';
import type { Decoded, Decoder } from './decoded.ts';
import { hexValue } from './hexDigits.ts';

/** Text in which single characters are escaped: percent, backslashes, numeric entities of HTML and XML. */
export type EscapeForm = 'backslash' | 'percent' | 'entity';

const SLASH = 0x2f;
const BACKSLASH = 0x5c;
const PERCENT = 0x25;
const AMPERSAND = 0x26;
const HASH = 0x23;
const SEMICOLON = 0x3b;
const SMALL_U = 0x75;
const SMALL_X = 0x78;
const CAPITAL_X = 0x58;
/** Digits of one numeric entity that are read: more than any character needs, for some write zeros before. */
const ENTITY_DIGITS = 8;
const LAST_CHARACTER = 0x10ffff;

/** One escape: what it stands for and how many bytes it takes. Length 0: none stands there. */
interface Escape {
  readonly code: number;
  readonly length: number;
  /** Whether it stands for a byte rather than for a character. */
  readonly isByte: boolean;
}

const NONE: Escape = { code: 0, length: 0, isByte: true };

/** Reads a text forward from the beginning of `source`; what is no escape stays as it is. */
export function escapeDecoder(form: EscapeForm): Decoder {
  const read = { backslash: backslashAt, percent: percentAt, entity: entityAt }[form];
  const lead = { backslash: BACKSLASH, percent: PERCENT, entity: AMPERSAND }[form];
  return (source, _anchor, origin, out) => {
    const { memory, lo, hi } = source;
    for (let at = lo; at < hi;) {
      const byte = memory[at] as number;
      const escape = byte === lead ? read(source, at) : NONE;
      if (escape.length === 0) out.append(byte, at - origin);
      else if (escape.isByte) out.append(escape.code, at - origin);
      else out.appendCharacter(escape.code, at - origin);
      at += Math.max(1, escape.length);
    }
  };
}

/** `%2F`: RFC 3986. */
function percentAt(source: Span, at: number): Escape {
  const code = hexAt(source, at + 1, 2);
  return code < 0 ? NONE : { code, length: 3, isByte: true };
}

/**
 * `\/`, `\\`, `\u002f` (JSON, RFC 8259) and `\x2f` (C, JavaScript, Python). A run of backslashes is
 * one, for text may be quoted in quoted text; before `u` and `x` an even run stands for itself.
 */
function backslashAt(source: Span, at: number): Escape {
  const { memory, hi } = source;
  let end = at + 1;
  while (end < hi && memory[end] === BACKSLASH) end++;
  const run = end - at;
  const next = end < hi ? (memory[end] as number) : 0;
  if (next === SLASH) return { code: SLASH, length: run + 1, isByte: true };
  if (run % 2 === 1) {
    const digits = next === SMALL_U ? 4 : next === SMALL_X ? 2 : 0;
    const code = digits === 0 ? -1 : hexAt(source, end + 1, digits);
    if (code >= 0) return { code, length: run + 1 + digits, isByte: digits === 2 };
  }
  return { code: BACKSLASH, length: run, isByte: true };
}

/** `&#47;`, `&#x2F;`: HTML and XML. */
function entityAt(source: Span, at: number): Escape {
  const { memory, hi } = source;
  if (at + 3 >= hi || memory[at + 1] !== HASH) return NONE;
  const isHex = memory[at + 2] === SMALL_X || memory[at + 2] === CAPITAL_X;
  const first = at + (isHex ? 3 : 2);
  let code = 0;
  let end = first;
  for (; end < hi && end - first < ENTITY_DIGITS && memory[end] !== SEMICOLON; end++) {
    const digit = hexValue(memory[end] as number);
    if (digit < 0 || (!isHex && digit > 9)) return NONE;
    code = code * (isHex ? 16 : 10) + digit;
  }
  if (end === first || end >= hi || memory[end] !== SEMICOLON || code > LAST_CHARACTER) return NONE;
  return { code, length: end + 1 - at, isByte: false };
}

function hexAt({ memory, hi }: Span, at: number, digits: number): number {
  if (at + digits > hi) return -1;
  let code = 0;
  for (let index = at; index < at + digits; index++) {
    const digit = hexValue(memory[index] as number);
    if (digit < 0) return -1;
    code = code * 16 + digit;
  }
  return code;
}

/** Which escape ends right before `end`, as far as its last bytes tell; null where none does. */
export function escapeBefore({ memory, lo }: Span, end: number): EscapeForm | null {
  const at = (back: number): number => (end - back >= lo ? (memory[end - back] as number) : 0);
  switch (at(1)) {
    case SLASH:
    case BACKSLASH:
      return at(2) === BACKSLASH ? 'backslash' : null;
    case SEMICOLON:
      return 'entity';
    default:
      if (hexValue(at(1)) < 0) return null;
      if (at(3) === PERCENT) return 'percent';
      return (at(4) === BACKSLASH && at(3) === SMALL_X) || (at(6) === BACKSLASH && at(5) === SMALL_U)
        ? 'backslash'
        : null;
  }
}

/** Bytes behind a home root in which a name with escapes is looked for. */
const NAME_BYTES = 256;
const QUOTE = 0x22;
const LESS = 0x3c;

/** The first escape of a character from `start` on, within what can be one path; null where none is. */
export function escapeBehind(source: Span, start: number): EscapeForm | null {
  const { memory, hi } = source;
  const stop = Math.min(hi, start + NAME_BYTES);
  for (let at = start; at < stop; at++) {
    const byte = memory[at] as number;
    if (byte < 0x20 || byte === QUOTE || byte === LESS) return null;
    if (byte === PERCENT && hexAt(source, at + 1, 2) >= 0) return 'percent';
    if (byte === AMPERSAND && entityAt(source, at).length > 0) return 'entity';
    if (byte === BACKSLASH) return backslashAt(source, at).code === BACKSLASH ? null : 'backslash';
  }
  return null;
}

/** Whether an escaped slash or backslash can begin at `at`, where the form's first byte stands. */
export function separatorAt(source: Span, at: number, form: EscapeForm): boolean {
  const read = { backslash: backslashAt, percent: percentAt, entity: entityAt }[form];
  const { code, length } = read(source, at);
  return length > 1 && (code === SLASH || code === BACKSLASH);
}

/** How the first escaped character among the decoded bytes [start, end) is written; null where none is. */
export function escapeWithin(
  source: Span,
  origin: number,
  decoded: Decoded,
  start: number,
  end: number,
): Encoding | null {
  const stop = Math.min(end, decoded.span.hi - 1);
  for (let index = start; index < stop; index++) {
    const place = decoded.placeOf(index);
    const next = decoded.placeOf(index + 1);
    if (next - place <= 1) continue;
    switch (source.memory[place + origin] as number) {
      case PERCENT:
        return 'percent';
      case AMPERSAND:
        return 'html-entity';
      default:
        return backslashEncoding(source, place + origin, next + origin);
    }
  }
  return null;
}

function backslashEncoding({ memory }: Span, start: number, end: number): Encoding {
  let last = start;
  while (last < end && memory[last] === BACKSLASH) last++;
  if (last === end) return 'double-backslash';
  if (memory[last] === SMALL_U) return 'unicode-escape';
  return memory[last] === SMALL_X ? 'hex-escape' : 'json-slash';
}
