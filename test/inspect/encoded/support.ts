import { ByteSearch } from '../../../src/inspect/byteSearch.ts';
import { LeakCollector } from '../../../src/inspect/leakCollector.ts';
import type { LocalFinding } from '../../../src/inspect/local.ts';
import { createMatcher } from '../../../src/kernel/create.ts';
import { bytesOfByteString } from '../../../src/model/bytes.ts';
import type { Encoding } from '../../../src/model/facts.ts';
import type { NeedleContext } from '../../../src/needles/compile.ts';
import { rulesOf } from '../support.ts';

const ROOM = 4 * 1024 * 1024;
/** Room before a piece for what is kept of earlier ones. */
const KEEP = 16 * 1024;

/** The search alone, without formats. Latin-1 text stands for bytes. */
export class Search {
  readonly #matcher = createMatcher({ size: ROOM });
  readonly #leaks = new LeakCollector();
  readonly #search: ByteSearch;

  constructor(known: Partial<NeedleContext> = {}) {
    const { set, classifier } = rulesOf(known);
    this.#matcher.load(set.patterns);
    this.#search = new ByteSearch(this.#matcher, set, classifier, this.#leaks);
  }

  /** The findings of a content that comes in pieces of the given sizes; the last one takes the rest. */
  findings(content: string | Uint8Array, sizes: readonly number[] = []): readonly LocalFinding[] {
    const bytes = typeof content === 'string' ? bytesOfByteString(content) : content;
    const { memory, base } = this.#matcher;
    const start = base + KEEP;
    this.#search.begin(start, 0);
    let at = 0;
    for (const [index, size] of [...sizes, Infinity].entries()) {
      const part = bytes.subarray(at, at + size);
      memory.set(part, start);
      at += part.length;
      this.#search.extend(start + part.length, at === bytes.length && index === sizes.length);
      const from = this.#search.keepFrom;
      const to = start - (this.#search.end - from);
      memory.copyWithin(to, from, this.#search.end);
      this.#search.moved(from - to);
    }
    return this.#leaks.finish([], [], false).findings;
  }
}

/** `text` with each of its slashes and backslashes spelled by `spell`. */
function escaped(text: string, spell: (separator: string) => string): string {
  return text.replaceAll(/[/\\]/g, spell);
}

const code = (character: string): string => character.charCodeAt(0).toString(16).padStart(2, '0');

function swapped(bytes: Buffer, unit: 2 | 4): Buffer {
  return unit === 2 ? bytes.swap16() : bytes.swap32();
}

function utf32(text: string): Buffer {
  const characters = Array.from(text);
  const bytes = Buffer.alloc(4 * characters.length);
  for (const [index, character] of characters.entries()) {
    bytes.writeUInt32LE(character.codePointAt(0) as number, 4 * index);
  }
  return bytes;
}

/** Encodes UTF-8 text; `offset` is where a byte of it stands then. */
interface Spelling {
  readonly name: string;
  readonly encoding: Encoding;
  readonly encode: (text: string) => Buffer;
  readonly offset: (bytes: number, text: string) => number;
}

function byText(name: string, encoding: Encoding, spell: (text: string) => string): Spelling {
  return {
    name,
    encoding,
    encode: (text) => Buffer.from(spell(text)),
    offset: (bytes, text) => spell(text.slice(0, bytes)).length,
  };
}

/** Every encoding, in every spelling that is looked for. */
export const SPELLINGS: readonly Spelling[] = [
  ...([2, 4] as const).flatMap((unit): Spelling[] =>
    (['le', 'be'] as const).map((order) => ({
      name: `utf${unit * 8}${order}`,
      encoding: `utf${unit === 2 ? 16 : 32}${order}`,
      encode: (text) => {
        const little = unit === 2 ? Buffer.from(text, 'utf16le') : utf32(text);
        return order === 'le' ? little : swapped(little, unit);
      },
      offset: (bytes) => bytes * unit,
    })),
  ),
  byText('escaped slashes', 'json-slash', (text) => escaped(text, (it) => (it === '/' ? '\\/' : '\\\\'))),
  byText('escaped slashes, quoted', 'json-slash', (text) =>
    escaped(text, (it) => (it === '/' ? '\\\\\\/' : '\\\\\\\\')),
  ),
  byText('percent, capitals', 'percent', (text) => escaped(text, (it) => `%${code(it).toUpperCase()}`)),
  byText('percent, small', 'percent', (text) => escaped(text, (it) => `%${code(it)}`)),
  byText('percent, all', 'percent', (text) => text.replaceAll(/[ -~]/g, (it) => `%${code(it)}`)),
  byText('percent, all, capitals', 'percent', (text) =>
    text.replaceAll(/[ -~]/g, (it) => `%${code(it).toUpperCase()}`),
  ),
  byText('unicode', 'unicode-escape', (text) => escaped(text, (it) => `\\u00${code(it)}`)),
  byText('unicode, capitals', 'unicode-escape', (text) =>
    escaped(text, (it) => `\\u00${code(it).toUpperCase()}`),
  ),
  byText('hex escape', 'hex-escape', (text) => escaped(text, (it) => `\\x${code(it)}`)),
  byText('hex escape, capitals', 'hex-escape', (text) =>
    escaped(text, (it) => `\\x${code(it).toUpperCase()}`),
  ),
  byText('entity', 'html-entity', (text) => escaped(text, (it) => `&#x${code(it)};`)),
  byText('entity, capitals', 'html-entity', (text) => escaped(text, (it) => `&#x${code(it).toUpperCase()};`)),
  byText('entity, decimal', 'html-entity', (text) => escaped(text, (it) => `&#${it.charCodeAt(0)};`)),
  byText('unicode, all', 'unicode-escape', (text) => text.replaceAll(/[ -~]/g, (it) => `\\u00${code(it)}`)),
  byText('hex escape, all', 'hex-escape', (text) => text.replaceAll(/[ -~]/g, (it) => `\\x${code(it)}`)),
  byText('hex escape, all, capitals', 'hex-escape', (text) =>
    text.replaceAll(/[ -~]/g, (it) => `\\x${code(it).toUpperCase()}`),
  ),
  byText('entity, all', 'html-entity', (text) => text.replaceAll(/[ -~]/g, (it) => `&#x${code(it)};`)),
  byText('entity, decimal, all', 'html-entity', (text) =>
    text.replaceAll(/[ -~]/g, (it) => `&#${it.charCodeAt(0)};`),
  ),
  byText('hex', 'hex', (text) => Buffer.from(text).toString('hex')),
  byText('hex, capitals', 'hex', (text) => Buffer.from(text).toString('hex').toUpperCase()),
  ...(['base64', 'base64url'] as const).map((encoding): Spelling => ({
    name: encoding,
    encoding: 'base64',
    encode: (text) => Buffer.from(Buffer.from(text).toString(encoding)),
    offset: (bytes) => Math.floor(bytes / 3) * 4 + (bytes % 3),
  })),
];
