import { byteStringOfText, bytesOfByteString, exactText, type ByteString } from '../model/bytes.ts';

/** A part of a literal as it stands in text that escapes what is unusual. */
export interface UnusualSpelling {
  readonly form: 'percent' | 'backslash' | 'entity';
  readonly bytes: Uint8Array;
  /** Where the part begins in the literal. */
  readonly lead: number;
}

interface Way {
  readonly form: UnusualSpelling['form'];
  /** Whether it escapes single bytes rather than characters. */
  readonly ofBytes: boolean;
  readonly spell: (code: number) => string;
  readonly slash: string;
}

const hex = (code: number, digits: number): string => code.toString(16).padStart(digits, '0');
const HEX = (code: number, digits: number): string => hex(code, digits).toUpperCase();

const WAYS: readonly Way[] = [
  { form: 'percent', ofBytes: true, spell: (code) => `%${HEX(code, 2)}`, slash: '%2F' },
  { form: 'percent', ofBytes: true, spell: (code) => `%${hex(code, 2)}`, slash: '%2f' },
  { form: 'backslash', ofBytes: true, spell: (code) => `\\x${hex(code, 2)}`, slash: '\\/' },
  { form: 'backslash', ofBytes: true, spell: (code) => `\\x${HEX(code, 2)}`, slash: '\\/' },
  { form: 'backslash', ofBytes: false, spell: (code) => `\\u${hex(code, 4)}`, slash: '\\/' },
  { form: 'backslash', ofBytes: false, spell: (code) => `\\u${HEX(code, 4)}`, slash: '\\/' },
  { form: 'entity', ofBytes: false, spell: (code) => `&#x${HEX(code, 0)};`, slash: '&#x2F;' },
  { form: 'entity', ofBytes: false, spell: (code) => `&#x${hex(code, 0)};`, slash: '&#x2f;' },
  { form: 'entity', ofBytes: false, spell: (code) => `&#${code};`, slash: '&#47;' },
];

/** What no URL leaves as it is; what no part of one does; letters that text of ASCII escapes. */
const UNUSUAL: readonly RegExp[] = [/[^!-~]|["%<>[\\\]^`{|}]/, /[^A-Za-z0-9_.!~*'()/-]/, /[^\0-\x7f]/];
/** What programs leave as it is, whatever they escape. */
const USUAL = /^[A-Za-z0-9_.~/-]*$/;
const SLASH = 0x2f;
/** Characters before the first unusual one, and bytes in all, that are spelled out. */
const BEFORE = 8;
const SPELLED_BYTES = 48;

/**
 * A literal as programs escape it that leave most characters as they are (`/data/jos%C3%A9`), around
 * the first unusual one, with slashes as they are or escaped too. None for a literal without such.
 */
export function unusualSpellings(text: ByteString): readonly UnusualSpelling[] {
  const decoded = exactText(text);
  if (decoded === null || USUAL.test(text)) return [];
  const spellings = new Map<string, UnusualSpelling>();
  for (const way of WAYS) {
    const units = way.ofBytes ? Array.from(text) : Array.from(decoded, byteStringOfText);
    const codes = Array.from(way.ofBytes ? text : decoded, (unit) => unit.codePointAt(0) as number);
    for (const unusual of UNUSUAL) {
      const isUnusual = codes.map((code) => unusual.test(String.fromCodePoint(code)));
      const first = isUnusual.indexOf(true);
      if (first < 0) continue;
      const start = Math.max(0, first - BEFORE);
      for (const slash of ['/', way.slash, way.spell(SLASH)]) {
        let spelled = '';
        for (let index = start; index < units.length && spelled.length < SPELLED_BYTES; index++) {
          const plain = units[index] === '/' ? slash : units[index];
          spelled += isUnusual[index] === true ? way.spell(codes[index] as number) : plain;
        }
        const lead = units.slice(0, start).join('').length;
        spellings.set(`${way.form} ${spelled}`, { form: way.form, bytes: bytesOfByteString(spelled), lead });
      }
    }
  }
  return [...spellings.values()];
}
