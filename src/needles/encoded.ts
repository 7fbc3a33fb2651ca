import { bytesOfByteString, exactText, type ByteString } from '../model/bytes.ts';
import { NarScanError } from '../model/errors.ts';
import { LIMITS } from '../model/limits.ts';
import type { CompiledNeedle } from './compile.ts';
import { base64Cores, hexSpellings, wideSpellings } from './spellings.ts';
import { unusualSpellings } from './unusual.ts';

/**
 * How bytes around an occurrence are to be read: what the inspection decodes by. `escaped` stands
 * for the escape that ends where the needle begins, whichever it is.
 */
type EncodedForm = 'backslash' | 'percent' | 'entity' | 'escaped' | 'utf16' | 'utf32' | 'base64' | 'hex';

/** A plain needle that may stand, decoded, `lead` bytes before an encoded needle's anchor. */
interface EncodedTarget {
  readonly needle: number;
  readonly lead: number;
}

/** Bytes that betray an encoded literal. They prove nothing: what stands there is decoded, then judged. */
export interface EncodedNeedle {
  readonly bytes: Uint8Array;
  readonly form: EncodedForm;
  /** From the needle's first byte to the byte at which the targets' leads count; may be negative. */
  readonly anchor: number;
  /** Of base64: which byte of its group of three the anchor is. */
  readonly phase: number;
  readonly targets: readonly EncodedTarget[];
}

/** The part of a literal that its encodings are found by. */
interface Core {
  readonly text: ByteString;
  /** Where it begins in the literal. */
  readonly lead: number;
}

/** Of literals that are always searched for: the part that is rare, and whether a separator follows it. */
const FIXED_WORDS: ReadonlyMap<ByteString, string> = new Map([
  ['/home/', 'home'],
  ['/Users/', 'Users'],
  ['\\Users\\', 'Users'],
  ['/root/', 'root'],
  ['/store/', 'store'],
  ['/nix/var/nix/builds/', 'builds'],
  ['/tmp/nix-build-', 'nix-build-'],
]);

/** Bytes of a literal that are spelled out at most; the rest is compared once it is decoded. */
const SPELLED_BYTES = 48;
/** Hash parts that are searched for in every encoding; escapes leave all of them plain anyway. */
const ENCODED_HASH_PARTS = 64;
/** Those of them that are found with every letter escaped, too. */
const ESCAPED_HASH_PARTS = 8;
/** What the kernel takes, but for the magics of containers. */
const MOST = LIMITS.needles - 64;
const SHORTEST_WORD = 3;
const ASCII = /^[\x20-\x7e]+$/;
const SEPARATORS = /[/\\]/;
/** A slash as escapes spell it, and what all spellings of an escape begin with. */
const ESCAPED_SLASHES = [
  '\\/',
  '\\\\/',
  '\\\\\\/',
  '%2F',
  '%2f',
  '\\u002f',
  '\\u002F',
  '\\x2f',
  '\\x2F',
  '&#x2F;',
  '&#x2f;',
  '&#47;',
];
const ESCAPES: readonly (readonly [string, EncodedForm])[] = [
  ['\\', 'backslash'],
  ['%', 'percent'],
  ['&#', 'entity'],
];
type Spell = (byte: number, inCase: (digits: string) => string) => string;

/** Escapes of any character. */
const SPELLED_OUT: readonly (readonly [spell: Spell, form: EncodedForm])[] = [
  [(byte, inCase) => `%${inCase(hex(byte))}`, 'percent'],
  [(byte, inCase) => `\\x${inCase(hex(byte))}`, 'backslash'],
  [(byte, inCase) => `\\u00${inCase(hex(byte))}`, 'backslash'],
  [(byte, inCase) => `&#x${inCase(hex(byte))};`, 'entity'],
  [(byte) => `&#${byte};`, 'entity'],
];

/** Last characters of an escaped slash. */
const ESCAPE_ENDS = ['F', 'f', ';'];

interface Growing {
  readonly form: Form;
  readonly targets: EncodedTarget[];
}

/**
 * Needles for the encodings of plain needles. A literal that is an extension of another is found
 * by that one's. None is left out: what the kernel cannot take beside the magics of containers is refused.
 *
 * @param hashParts in the order in which they count; the first {@link ENCODED_HASH_PARTS} are spelled out
 * @throws NarScanError NEEDLES_TOO_MANY; some hundred homes and aliases, each below a root of its own
 *   that is no usual home root, are that many
 */
export function encodeNeedles(
  plain: readonly CompiledNeedle[],
  hashParts: readonly ByteString[],
): readonly EncodedNeedle[] {
  const grown = new Map<string, Growing>();
  const encoded = new Set(hashParts.slice(0, ENCODED_HASH_PARTS));
  const escaped = new Set(hashParts.slice(0, ESCAPED_HASH_PARTS));
  for (const [index, { text, meaning }] of plain.entries()) {
    const isHashPart = meaning.kind === 'hash-part';
    if (isHashPart && !encoded.has(text)) continue;
    const forms = isHashPart ? hashForms(text, escaped.has(text)) : formsOf(text);
    for (const form of forms) {
      const { buffer, byteOffset, length } = form.bytes;
      const bytes = Buffer.from(buffer, byteOffset, length).toString('latin1');
      const key = `${form.form} ${form.phase} ${bytes}`;
      let known = grown.get(key);
      if (known === undefined) grown.set(key, (known = { form, targets: [] }));
      known.targets.push({ needle: index, lead: form.lead });
    }
    if (plain.length + grown.size > MOST) {
      throw new NarScanError('NEEDLES_TOO_MANY', `homes and aliases give more than ${MOST} byte strings`);
    }
  }
  return Array.from(grown.values(), ({ form: { bytes, form, anchor, phase }, targets }) => {
    return { bytes, form, anchor, phase, targets };
  });
}

interface Form extends Omit<EncodedNeedle, 'targets'> {
  readonly lead: number;
}

function formsOf(text: ByteString): readonly Form[] {
  const word = FIXED_WORDS.get(text);
  if (word === undefined) return [...runForms(startOf(text)), ...escapedForms(text), ...unusualForms(text)];
  const core = { text: word, lead: text.indexOf(word) };
  // four characters are too few to find by six bits each
  const whole = { text, lead: 0 };
  const base64 = word === 'Users' ? core : whole;
  return [...runForms(core, base64), ...wordForms(core, text.length > core.lead + word.length)];
}

function hashForms(text: ByteString, escaped: boolean): readonly Form[] {
  const core = { text, lead: 0 };
  return escaped ? [...runForms(core), ...spelledForms(core)] : runForms(core);
}

function startOf(text: ByteString): Core {
  return { text: text.slice(0, SPELLED_BYTES), lead: 0 };
}

/** A literal of which only what is unusual is escaped. */
function unusualForms(text: ByteString): Form[] {
  return unusualSpellings(text).map((spelling) => ({ ...spelling, anchor: 0, phase: 0 }));
}

/** Encodings that change every byte. */
function runForms(core: Core, base64: Core = core): Form[] {
  const { lead } = core;
  const forms: Form[] = [];
  const text = exactText(core.text);
  for (const [form, unit] of [
    ['utf16', 2],
    ['utf32', 4],
  ] as const) {
    if (text === null) continue;
    for (const { bytes, anchor } of wideSpellings(text, unit))
      forms.push({ form, bytes, anchor, phase: 0, lead });
  }
  for (const bytes of hexSpellings(core.text)) forms.push({ form: 'hex', bytes, anchor: 0, phase: 0, lead });
  for (const { bytes, anchor, phase } of base64Cores(bytesOfByteString(base64.text))) {
    forms.push({ form: 'base64', bytes, anchor, phase, lead: base64.lead });
  }
  return forms;
}

/** A word between escaped separators, or with one escaped; `separated`: one follows it. */
function wordForms({ text, lead }: Core, separated: boolean): Form[] {
  const plainly = (spelled: string, form: EncodedForm, anchor = 0): Form => {
    return { form, bytes: bytesOfByteString(spelled), anchor, phase: 0, lead };
  };
  const forms = ESCAPE_ENDS.map((end) => plainly(`${end}${text}${separated ? '/' : ''}`, 'escaped', 1));
  if (separated) forms.push(...ESCAPES.map(([escape, form]) => plainly(text + escape, form)));
  else forms.push(plainly(`\\/${text}`, 'escaped', 2));
  return [...forms, ...spelledForms({ text, lead })];
}

/** Letters escaped too: by the first two, their digits in either case. */
function spelledForms({ text, lead }: Core): Form[] {
  const [first = 0, second = 0] = bytesOfByteString(`${text}/`);
  const forms = new Map<string, Form>();
  for (const [spell, form] of SPELLED_OUT) {
    for (const inCase of [(digits: string) => digits, (digits: string) => digits.toUpperCase()]) {
      const spelled = spell(first, inCase) + spell(second, inCase);
      if (forms.has(spelled)) continue;
      forms.set(spelled, { form, bytes: bytesOfByteString(spelled), anchor: 0, phase: 0, lead });
    }
  }
  return [...forms.values()];
}

/** Escapes of a literal of any kind: by its first component, or two of them where that is short. */
function escapedForms(text: ByteString): Form[] {
  const [first = '', second] = text.slice(1).split(SEPARATORS);
  if (!ASCII.test(first)) return [];
  const core = { text: first.slice(0, SPELLED_BYTES), lead: 1 };
  if (second === undefined || core.text.length < first.length) return wordForms(core, false);
  if (first.length >= SHORTEST_WORD) return wordForms(core, true);
  // letters beyond ASCII may be escaped or not
  const [next = ''] = /^[\x20-\x7e]*/.exec(second.slice(0, SPELLED_BYTES)) ?? [];
  const mixed = ESCAPE_ENDS.map((end) => [`${end}${first}/${next}`, 1] as const);
  const spelled = ESCAPED_SLASHES.map((slash) => [`${first}${slash}${next}`, 0] as const);
  const escapes = [...mixed, ...spelled].map(([spelling, anchor]): Form => {
    const form =
      anchor === 1 ? 'escaped' : (ESCAPES.find(([escape]) => spelling.includes(escape))?.[1] ?? 'escaped');
    return { form, bytes: bytesOfByteString(spelling), anchor, phase: 0, lead: 1 };
  });
  return [...escapes, ...spelledForms(core)];
}

function hex(byte: number): string {
  return byte.toString(16).padStart(2, '0');
}
