import type { ByteString } from '../../model/bytes.ts';

/** What the dictionary of a stream says about how it is packed (ISO 32000-1, 7.3.8.2). */
export interface StreamPacking {
  /** Names of the filters, the first to be undone first, in their long form. */
  readonly filters: readonly string[];
  /** The filters are named elsewhere in the document. */
  readonly indirect: boolean;
  /** A crypt filter that leaves the data as they are. */
  readonly identity: boolean;
}

const FILTER_KEY = '/Filter';

/** The names that inline images may use, and that readers take anywhere. */
const LONG_NAMES: Readonly<Record<string, string>> = {
  A85: 'ASCII85Decode',
  AHx: 'ASCIIHexDecode',
  CCF: 'CCITTFaxDecode',
  DCT: 'DCTDecode',
  Fl: 'FlateDecode',
  LZW: 'LZWDecode',
  RL: 'RunLengthDecode',
};

/**
 * How a stream is packed.
 *
 * @param text what stands before the keyword `stream`; the object's dictionary is its end. Where
 *   several filters are named at different places, one that names FlateDecode counts most
 */
export function packingOf(text: ByteString): StreamPacking {
  const dictionary = unescapeNames(text.slice(lastObjectStart(text)));
  let filters: readonly string[] = [];
  let indirect = false;
  for (let at = dictionary.indexOf(FILTER_KEY); at !== -1; at = dictionary.indexOf(FILTER_KEY, at + 1)) {
    const value = skipSpace(dictionary, at + FILTER_KEY.length);
    const first = dictionary.charAt(value);
    if (first >= '0' && first <= '9') indirect = true;
    const names =
      first === '/' ? [nameAt(dictionary, value)] : first === '[' ? namesAt(dictionary, value + 1) : [];
    if (filters.length === 0 || names.includes('FlateDecode')) filters = names;
  }
  return { filters, indirect, identity: dictionary.includes('/Identity') };
}

/** Behind the last `12 0 obj`; 0: there is none, and all may belong to the dictionary. */
function lastObjectStart(text: ByteString): number {
  for (let at = text.lastIndexOf('obj'); at > 0; at = text.lastIndexOf('obj', at - 1)) {
    const before = text.slice(Math.max(0, at - 12), at).trimEnd();
    const digit = before.charAt(before.length - 1);
    if (digit >= '0' && digit <= '9') return at + 3;
  }
  return 0;
}

/** Names may be written with `#6C` for `l`. */
function unescapeNames(text: ByteString): ByteString {
  return text.replace(/#[0-9A-Fa-f]{2}/g, (code) => String.fromCharCode(Number.parseInt(code.slice(1), 16)));
}

function isSpace(character: string): boolean {
  return character !== '' && '\0\t\n\f\r '.includes(character);
}

/** The next character that is neither white space nor part of a comment. */
function skipSpace(text: ByteString, from: number): number {
  let at = from;
  for (; at < text.length; at += 1) {
    if (text.charAt(at) === '%') {
      while (at < text.length && !'\r\n'.includes(text.charAt(at))) at += 1;
    } else if (!isSpace(text.charAt(at))) {
      break;
    }
  }
  return at;
}

function nameAt(text: ByteString, at: number): string {
  let end = at + 1;
  while (end < text.length && !isSpace(text.charAt(end)) && !'/[]<>(){}%'.includes(text.charAt(end)))
    end += 1;
  const name = text.slice(at + 1, end);
  return LONG_NAMES[name] ?? name;
}

function namesAt(text: ByteString, from: number): string[] {
  const names: string[] = [];
  for (let at = skipSpace(text, from); text.charAt(at) === '/'; at = skipSpace(text, at)) {
    names.push(nameAt(text, at));
    at += 1;
    while (at < text.length && !isSpace(text.charAt(at)) && !'/]%'.includes(text.charAt(at))) at += 1;
  }
  return names;
}
