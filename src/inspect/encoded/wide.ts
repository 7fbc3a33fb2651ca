import type { Span } from '../rules/boundaries.ts';
import type { Encoding } from '../../model/facts.ts';
import type { Decoder } from './decoded.ts';

export type WideEncoding = Extract<Encoding, `utf${string}`>;

const LAST_CHARACTER = 0x10ffff;
/** Bytes on each side of the anchor in which the byte order is looked for. */
const ORDER_BYTES = 256;

/**
 * Reads UTF-16 or UTF-32 around a character below U+0100 whose one byte other than zero is the
 * anchor, up to a NUL or to what is no character on either side.
 */
export function wideDecoder(encoding: WideEncoding): Decoder {
  const unit = unitOf(encoding);
  const big = isBig(encoding);
  return (source, anchor, origin, out) => {
    out.encoding = encoding;
    const read = (at: number): number => unitAt(source, at, unit, big);
    const first = big ? anchor - unit + 1 : anchor;
    let start = first;
    while (start - unit >= source.lo && isText(read(start - unit), unit)) start -= unit;
    for (let at = start; at + unit <= source.hi; at += unit) {
      let code = read(at);
      if (!isText(code, unit)) {
        if (code === 0) out.append(0, place(at));
        return;
      }
      const from = at;
      if (unit === 2 && code >= 0xd800 && code < 0xe000) {
        const low = at + 4 <= source.hi ? read(at + 2) : 0;
        // half a pair is no character, and ends a path as a NUL does
        const isPair = code < 0xdc00 && isLowSurrogate(low);
        code = isPair ? 0x10000 + ((code & 0x3ff) << 10) + (low & 0x3ff) : 0;
        if (isPair) at += unit;
      }
      out.appendCharacter(code, place(from));
    }

    function place(at: number): number {
      return at - origin;
    }
  };
}

/** Where a character begins, by its anchor. */
export function characterStart(anchor: number, encoding: WideEncoding): number {
  return isBig(encoding) ? anchor - unitOf(encoding) + 1 : anchor;
}

/**
 * Whether what the decoder would read may have `bytes`, of which the one at `lead` is the character of the anchor: a
 * look at the units around it that most words like `root` and `store` fail, before thousands are decoded.
 */
export function maySpell(
  source: Span,
  anchor: number,
  encoding: WideEncoding,
  bytes: Uint8Array,
  lead: number,
): boolean {
  const unit = unitOf(encoding);
  const big = isBig(encoding);
  const first = characterStart(anchor, encoding) - lead * unit;
  for (const step of [-1, 1]) {
    // beyond ASCII a byte is not a unit, and the next one may be anywhere
    for (let index = lead; (bytes[index] ?? 0x80) < 0x80; index += step) {
      const at = first + index * unit;
      // a character that the content's start or end cuts is the decoder's to judge
      if (at < source.lo || at + unit > source.hi) break;
      if (unitAt(source, at, unit, big) !== bytes[index]) return false;
    }
  }
  return true;
}

function unitOf(encoding: WideEncoding): 2 | 4 {
  return encoding === 'utf16le' || encoding === 'utf16be' ? 2 : 4;
}

function isBig(encoding: WideEncoding): boolean {
  return encoding === 'utf16be' || encoding === 'utf32be';
}

function isText(code: number, unit: 2 | 4): boolean {
  if (code === 0 || code > LAST_CHARACTER) return false;
  return unit === 2 ? code < 0xfffe : code < 0xd800 || code >= 0xe000;
}

function isLowSurrogate(code: number): boolean {
  return code >= 0xdc00 && code < 0xe000;
}

function unitAt({ memory }: Span, at: number, unit: 2 | 4, big: boolean): number {
  let code = 0;
  for (let index = 0; index < unit; index++) {
    const byte = memory[big ? at + index : at + unit - 1 - index] as number;
    code = code * 256 + byte;
  }
  return code;
}

/**
 * The byte orders in which the text around an anchor may be meant, the likelier first. ASCII reads
 * alike in both but for its ends: the zeros of the last character, or those of the first, belong to
 * it. Where that tells nothing, both may be, and a text mostly begins at a multiple of its unit.
 */
export function byteOrders(
  { memory, lo, hi }: Span,
  anchor: number,
  origin: number,
  unit: 2 | 4,
): readonly WideEncoding[] {
  const zerosBefore = (at: number): boolean => {
    if (at - unit + 1 < lo) return false;
    for (let index = at - unit + 1; index < at; index++) if (memory[index] !== 0) return false;
    return true;
  };
  const zerosBehind = (at: number): boolean => {
    if (at + unit > hi) return false;
    for (let index = at + 1; index < at + unit; index++) if (memory[index] !== 0) return false;
    return true;
  };
  const stop = Math.max(lo, anchor - ORDER_BYTES);
  let first = anchor;
  while (first - unit >= stop && memory[first - unit] !== 0 && zerosBefore(first)) first -= unit;
  const end = Math.min(hi, anchor + ORDER_BYTES);
  let last = anchor;
  while (last + unit < end && memory[last + unit] !== 0 && zerosBehind(last)) last += unit;
  const little = !zerosBefore(first);
  const big = !zerosBehind(last);
  const orders = unit === 2 ? (['utf16le', 'utf16be'] as const) : (['utf32le', 'utf32be'] as const);
  if (little !== big) return big ? [orders[1]] : [orders[0]];
  return (anchor - origin) % unit === 0 ? orders : orders.toReversed();
}
