import type { Encoding } from '../../model/facts.ts';
import { LIMITS } from '../../model/limits.ts';
import type { CompiledNeedle, NeedleSet } from '../../needles/compile.ts';
import type { EncodedNeedle } from '../../needles/encoded.ts';
import { bytesAt, type Span } from '../rules/boundaries.ts';
import type { Classifier, Leak } from '../rules/classify.ts';
import { Decoded, type Decoder } from './decoded.ts';
import {
  escapeBefore,
  escapeBehind,
  escapeDecoder,
  escapeWithin,
  separatorAt,
  type EscapeForm,
} from './escapes.ts';
import { base64Decoder, hexDecoder } from './radix.ts';
import { byteOrders, characterStart, maySpell, wideDecoder, type WideEncoding } from './wide.ts';

/** A leak as it reads decoded, and where its first byte's character stands in the content. */
export interface EncodedLeak {
  readonly leak: Leak;
  /** The decoded bytes that the leak's addresses count in. Good until the next hit. */
  readonly decoded: Span;
  readonly offset: number;
  readonly encoding: Encoding;
}

/** Leaks whose places are remembered, so that one that several needles find is told once. */
const REMEMBERED = 64;
/** Decoded bytes behind a leak that must be text where six or four bits a character could mean anything. */
const TEXT_BYTES = 4;

/** Ways to decode, and how many bytes one unit of them takes. */
const UNITS = {
  backslash: 1,
  percent: 1,
  entity: 1,
  utf16le: 2,
  utf16be: 2,
  utf32le: 4,
  utf32be: 4,
  base64: 4,
  hex: 2,
} as const;
type Reading = keyof typeof UNITS;
const READINGS = Object.keys(UNITS);

/** One decoder with what it last decoded: hits that are close together share it. */
interface View {
  readonly decode: Decoder;
  readonly decoded: Decoded;
  readonly classifier: Classifier;
  /** Content offsets of anchors [from, to] for which the decoded bytes serve. */
  from: number;
  to: number;
}

/**
 * Leaks in other encodings than plain bytes: what lies around a hit is decoded, and the rules judge
 * it as if it stood there plainly. Hits of one content come in ascending order between two calls
 * of `begin`.
 */
export class EncodedLeaks {
  readonly #set: NeedleSet;
  readonly #classifier: Classifier;
  readonly #views = new Map<number, View>();
  /** Content offsets of the last leaks, a ring. */
  readonly #places = new Float64Array(REMEMBERED).fill(-1);
  #next = 0;
  #used = false;

  constructor(set: NeedleSet, classifier: Classifier) {
    this.#set = set;
    this.#classifier = classifier;
  }

  begin(): void {
    this.#next = 0;
    if (!this.#used) return;
    this.#used = false;
    this.#places.fill(-1);
    for (const view of this.#views.values()) view.from = view.to = -1;
  }

  /** A leak in plain bytes at a content offset: its encoded parts are not told again. */
  seen(offset: number): void {
    this.#used = true;
    this.#places[this.#next++ % REMEMBERED] = offset;
  }

  /** What an encoded needle at `address` means, or null where it decodes to no leak. */
  at(span: Span, origin: number, needle: EncodedNeedle, address: number): EncodedLeak | null {
    const anchor = address + needle.anchor;
    const readings = readingsAt(span, origin, needle, address);
    for (let doubt = 0; doubt < readings.length; doubt++) {
      const reading = readings[doubt] as Reading;
      if (isWide(reading) && !this.#mayStand(span, anchor, reading, needle)) continue;
      const found = this.#decode(span, origin, reading, anchor, needle.phase);
      if (found === null) continue;
      for (const target of needle.targets) {
        const plain = this.#set.needles[target.needle] as CompiledNeedle;
        // where the byte order is in doubt, only what is known is worth a second look
        const leak = this.#judge(span, origin, found.view, plain, found.index - target.lead, doubt > 0);
        if (leak !== null) return leak;
      }
    }
    return null;
  }

  #mayStand(span: Span, anchor: number, reading: WideEncoding, { targets }: EncodedNeedle): boolean {
    return targets.some(({ needle, lead }) =>
      maySpell(span, anchor, reading, (this.#set.needles[needle] as CompiledNeedle).bytes, lead),
    );
  }

  /**
   * The same for a plain needle that is no leak as it stands, where an escape ends right before it
   * or within; and a known home in whose name there are escapes: of letters beyond ASCII, of spaces.
   */
  besides(
    span: Span,
    origin: number,
    needle: CompiledNeedle,
    address: number,
    plain: Leak | null,
  ): EncodedLeak | null {
    const { kind } = needle.meaning;
    const inside = kind === 'windows-users' || needle.bytes[0] === SLASH ? 1 : 0;
    const before = plain === null ? escapeBefore(span, address + inside) : null;
    const found = this.#escaped(span, origin, needle, address, before, false);
    if (found !== null || (kind !== 'home-root' && kind !== 'windows-users')) return found;
    const behind = escapeBehind(span, address + needle.bytes.length);
    return this.#escaped(span, origin, needle, address, behind, true);
  }

  #escaped(
    span: Span,
    origin: number,
    needle: CompiledNeedle,
    address: number,
    form: EscapeForm | null,
    knownOnly: boolean,
  ): EncodedLeak | null {
    if (form === null) return null;
    const view = this.#decode(span, origin, form, address + needle.bytes.length - 1, 0);
    if (view === null) return null;
    return this.#judge(span, origin, view.view, needle, view.index - needle.bytes.length + 1, knownOnly);
  }

  #decode(
    span: Span,
    origin: number,
    reading: Reading,
    anchor: number,
    phase: number,
  ): { readonly view: View; readonly index: number } | null {
    const offset = anchor - origin;
    const place = isWide(reading) ? characterStart(offset, reading) : offset;
    const view = this.#view(reading, offset, phase);
    const isKnown = offset >= view.from && offset <= view.to;
    let index = isKnown ? view.decoded.indexOf(place) : -1;
    if (index < 0) {
      const lo = Math.max(span.lo, anchor - LIMITS.contextBytes);
      const hi = Math.min(span.hi, anchor + LIMITS.contextBytes);
      view.decoded.begin(lo - origin);
      view.decode({ memory: span.memory, lo, hi }, anchor - phase, origin, view.decoded);
      view.classifier.begin();
      view.from = offset;
      view.to = offset + LIMITS.contextBytes / 2;
      this.#used = true;
      index = view.decoded.indexOf(place);
    }
    return index < 0 ? null : { view, index };
  }

  #view(reading: Reading, offset: number, phase: number): View {
    // units begin at places that differ: each remainder has a view of its own
    const unit = UNITS[reading];
    const rest = (((offset - phase) % unit) + unit) % unit;
    const key = READINGS.indexOf(reading) * 4 + rest;
    let view = this.#views.get(key);
    if (view === undefined) {
      const classifier = this.#classifier.another();
      view = { decode: decoderOf(reading), decoded: new Decoded(), classifier, from: -1, to: -1 };
      this.#views.set(key, view);
    }
    return view;
  }

  #judge(
    span: Span,
    origin: number,
    view: View,
    needle: CompiledNeedle,
    start: number,
    knownOnly = false,
  ): EncodedLeak | null {
    const { decoded, classifier } = view;
    if (start < 0 || !bytesAt(decoded.span, start, needle.bytes)) return null;
    const leak = classifier.classify(decoded.span, 0, needle, start);
    if (leak === null || !isText(decoded, leak) || (knownOnly && leak.rule !== 'known-home')) return null;
    const encoding = decoded.encoding ?? escapeWithin(span, origin, decoded, leak.start, leak.end + 1);
    if (encoding === null) return null;
    const offset = decoded.placeOf(leak.start);
    if (this.#places.includes(offset)) return null;
    this.seen(offset);
    return { leak, decoded: decoded.span, offset, encoding };
  }
}

const SLASH = 0x2f;
const ESCAPE_STARTS: ReadonlySet<number> = new Set([0x25, 0x26, 0x5c]);
const NO_READINGS: readonly Reading[] = [];

/** How the bytes around an encoded needle are to be read; in none of many ways where they are plain text. */
function readingsAt(
  span: Span,
  origin: number,
  { form, bytes, anchor }: EncodedNeedle,
  address: number,
): readonly Reading[] {
  switch (form) {
    case 'escaped': {
      const escape = escapeBefore(span, address + anchor);
      return escape === null ? NO_READINGS : [escape];
    }
    case 'backslash':
    case 'percent':
    case 'entity':
      return isEscapeIn(span, form, address, bytes) ? [form] : NO_READINGS;
    case 'utf16':
      return byteOrders(span, address + anchor, origin, 2);
    case 'utf32':
      return byteOrders(span, address + anchor, origin, 4);
    case 'base64':
    case 'hex':
      return [form];
  }
}

/** Most words before a percent sign or a backslash are just that: told without decoding. */
function isEscapeIn(span: Span, form: EscapeForm, address: number, bytes: Uint8Array): boolean {
  const last = address + bytes.length - (form === 'entity' ? 2 : 1);
  const isSpelledOut = ESCAPE_STARTS.has(bytes[0] as number);
  return isSpelledOut || !ESCAPE_STARTS.has(span.memory[last] as number) || separatorAt(span, last, form);
}

function isWide(reading: Reading): reading is WideEncoding {
  return reading.startsWith('utf');
}

function decoderOf(reading: Reading): Decoder {
  switch (reading) {
    case 'base64':
      return base64Decoder;
    case 'hex':
      return hexDecoder;
    case 'backslash':
    case 'percent':
    case 'entity':
      return escapeDecoder(reading);
    case 'utf16le':
    case 'utf16be':
    case 'utf32le':
    case 'utf32be':
      return wideDecoder(reading);
  }
}

/** Whether base64 or hex digits decode to text behind the leak: a home that nobody knows is no proof of it. */
function isText({ encoding, span }: Decoded, leak: Leak): boolean {
  if (leak.rule === 'known-home' || (encoding !== 'hex' && !encoding?.startsWith('base64'))) return true;
  const stop = Math.min(span.hi, leak.end + TEXT_BYTES);
  for (let at = leak.end; at < stop; at++) {
    const byte = span.memory[at] as number;
    if (byte === 0) return true;
    if (byte === 0x7f || (byte < 0x20 && byte !== 0x09 && byte !== 0x0a && byte !== 0x0d)) return false;
  }
  return true;
}
