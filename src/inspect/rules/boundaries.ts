import { BASE32_MEMBERS } from '../../nix/base32.ts';

/**
 * Where paths start and end in arbitrary bytes. Pure table look-ups over a {@link Span}.
 */

/** A stretch of one content in a larger buffer, with what is known of its surroundings. */
export interface Span {
  readonly memory: Uint8Array;
  /** First address of the content that is at hand. */
  lo: number;
  /** One past the last address that is at hand. */
  hi: number;
}

const SLASH = 0x2f;
const DOT = 0x2e;
const DASH = 0x2d;
const COLON = 0x3a;
const BACKSLASH = 0x5c;

/** Bytes before a path in which a host's name is looked for: no name of a host is longer. */
const HOST_BYTES = 256;
/** What names of hosts end in; any other dot is that of a file (`main.go`). */
const HOST_ENDINGS = new Set(
  'com org net edu gov mil int io dev info biz app example test invalid local lan'.split(' '),
);

function table(accept: (code: number, char: string) => boolean): Uint8Array {
  const bytes = new Uint8Array(256);
  for (let code = 0; code < 256; code++) bytes[code] = accept(code, String.fromCharCode(code)) ? 1 : 0;
  return bytes;
}

/** Bytes that go on in a path when read backwards; everything else ends it. */
const PATH = table((code, char) => code >= 0x80 || /[A-Za-z0-9/._+@~%#$-]/.test(char));

/** Bytes right before a slash that say: this slash does not start a path (`a/home`, `)/home`, `*` + `/home`). */
const INSIDE = table((_code, char) => /[A-Za-z0-9/._~%$#?*\\)}\]-]/.test(char));

/** Bytes of a user's name, for telling where a path component ends. */
const NAME = table((_code, char) => /[A-Za-z0-9_-]/.test(char));
const USER = table((_code, char) => /[A-Za-z0-9._-]/.test(char));
const URL = table((code, char) => code >= 0x80 || /[A-Za-z0-9/.:_+@~%#&?=$-]/.test(char));
const LETTER = table((_code, char) => /[A-Za-z]/.test(char));

function at(bytes: Uint8Array, index: number): number {
  return bytes[index] as number;
}

/** How many full stops are looked past; the longest home and these fit into the context of a hit. */
const FULL_STOPS = 64;

/** Whether the path component that ends right before `end` really ends there (`/home/build` not in `/home/buildroot`). */
export function componentEnds(span: Span, end: number): boolean {
  if (end >= span.hi) return true;
  if (at(NAME, at(span.memory, end)) === 1) return false;
  // full stops end a sentence, not a name: `/home/zoe.` and `/home/zoe...` but not `/home/zoe.old`
  const stop = Math.min(span.hi, end + FULL_STOPS);
  let next = end;
  while (next < stop && at(span.memory, next) === DOT) next++;
  return next === end || next >= stop || at(NAME, at(span.memory, next)) === 0;
}

/**
 * Whether a path starts at `start` (a slash): at the content's start, behind a delimiter, behind an
 * option letter (`-L/…`), behind an escaped line break, or behind a climb (`../../home`).
 */
export function pathStarts(span: Span, start: number): boolean {
  const { memory, lo } = span;
  if (start <= lo) return true;
  const before = at(memory, start - 1);
  if (at(INSIDE, before) === 0) return true;
  if (before === SLASH) return slashesStart(span, start);
  if (before === DOT) return climbStarts(span, start);
  if (start - 2 >= lo) {
    const second = at(memory, start - 2);
    if (second === DASH && at(LETTER, before) === 1) {
      return start - 3 < lo || at(INSIDE, at(memory, start - 3)) === 0;
    }
    if (second === BACKSLASH && (before === 0x6e || before === 0x74 || before === 0x72 || before === 0x30)) {
      return true;
    }
  }
  return false;
}

/** `//home` and `file:///home` start a path; `http://home/` names a host. */
function slashesStart(span: Span, start: number): boolean {
  const { memory, lo } = span;
  let first = start;
  while (first > lo && at(memory, first - 1) === SLASH) first--;
  if (first > lo && at(memory, first - 1) === COLON) return start - first >= 2;
  return first === lo || pathStarts(span, first);
}

/** `../home` climbs out of where it stands when nothing but `..` components lead to it. */
function climbStarts(span: Span, start: number): boolean {
  const { memory, lo } = span;
  if (start - 2 < lo || at(memory, start - 2) !== DOT) return false;
  if (start - 2 === lo) return true;
  const before = at(memory, start - 3);
  return before === SLASH || at(INSIDE, before) === 0;
}

/**
 * Whether what stands right before `start` is a URL or begins with the name of a host
 * (`https://example.com/Users/zoe`, `example.com/home/zoe`): then no path of this machine starts there.
 */
export function belongsToHost(span: Span, start: number): boolean {
  const stop = Math.max(span.lo, start - HOST_BYTES);
  let first = start;
  while (first > stop && at(URL, at(span.memory, first - 1)) === 1) first--;
  const run = textAt(span, first, start);
  const scheme = run.lastIndexOf('://');
  if (scheme >= 0) return !run.slice(0, scheme).endsWith('file');
  const labels = (run.split(/[/:]/, 1)[0] as string).split('.');
  return labels.length === 1 ? labels[0] === 'localhost' : HOST_ENDINGS.has(labels.at(-1) ?? '');
}

/** Start of the run of path bytes that ends right before `end`, at most `max` bytes back. */
export function pathRunStart(span: Span, end: number, max: number): number {
  const stop = Math.max(span.lo, end - max);
  let start = end;
  while (start > stop && at(PATH, at(span.memory, start - 1)) === 1) start--;
  return start;
}

/** One past the run of path bytes that starts at `start`, at most `max` bytes on. */
export function pathRunEnd(span: Span, start: number, max: number): number {
  const stop = Math.min(span.hi, start + max);
  let end = start;
  while (end < stop && at(PATH, at(span.memory, end)) === 1) end++;
  return end;
}

/** One past the user's name that starts at `start`; equal to `start` where none does. At most 256 bytes. */
export function userNameEnd(span: Span, start: number): number {
  const stop = Math.min(span.hi, start + 256);
  let end = start;
  while (end < stop && at(USER, at(span.memory, end)) === 1) end++;
  return end;
}

/** Whether 32 characters of Nix's base-32 alphabet stand at `start`, and no 33rd. */
export function hashPartAt(span: Span, start: number): boolean {
  if (start + 32 > span.hi) return false;
  for (let index = start; index < start + 32; index++)
    if (at(BASE32_MEMBERS, at(span.memory, index)) === 0) return false;
  return true;
}

export function bytesAt(span: Span, start: number, bytes: Uint8Array): boolean {
  if (start < span.lo || start + bytes.length > span.hi) return false;
  for (let index = 0; index < bytes.length; index++) {
    if (at(span.memory, start + index) !== at(bytes, index)) return false;
  }
  return true;
}

/** The bytes [start, end) as a byte string; both within the span. */
export function textAt(span: Span, start: number, end: number): string {
  return Buffer.from(span.memory.buffer, span.memory.byteOffset + start, end - start).toString('latin1');
}

export function isLetter(byte: number): boolean {
  return at(LETTER, byte) === 1;
}
