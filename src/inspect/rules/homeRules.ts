import { exactText, type ByteString } from '../../model/bytes.ts';
import type { Rule } from '../../model/facts.ts';
import { LIMITS } from '../../model/limits.ts';
import { HOME_ROOTS } from '../../needles/homes.ts';
import type { NeedleSet } from '../../needles/compile.ts';
import {
  belongsToHost,
  bytesAt,
  componentEnds,
  isLetter,
  pathRunEnd,
  pathStarts,
  textAt,
  userNameEnd,
  type Span,
} from './boundaries.ts';

/** A home that stands in the bytes [start, end). */
export interface HomeMatch {
  readonly rule: Rule;
  readonly home: ByteString;
  readonly start: number;
  readonly end: number;
}

const SLASH = 0x2f;
const COLON = 0x3a;

/** First bytes of a component that stands for a name: `$USER`, `%u`, `<user>`, `{user}`, `*`, `@user@`. */
const TEMPLATE = /^[$%<{*@]/;
/** Names that start with a digit are those of accounts when they are long (`/home/20231234`), else places. */
const USER_SHAPE = /^(?:[A-Za-z_]|[0-9][A-Za-z0-9._-]{3})[A-Za-z0-9._-]*$/;
const LETTERS = /^[\p{L}_][\p{L}\p{M}\p{N}._-]*$/u;
const USER_BYTES = 64;

/** Longer roots first, by their bytes before the final `/home/` or `/Users/`. */
const ROOT_PREFIXES = HOME_ROOTS.map((root) => ({
  root,
  last: root.slice(root.lastIndexOf('/')),
  before: Buffer.from(root.slice(0, root.lastIndexOf('/'))),
}))
  .filter(({ before }) => before.length > 0)
  .sort((a, b) => b.before.length - a.before.length);

/**
 * The home `<root>/<user>` whose root's last component (`/home/` or `/Users/`) stands at
 * [slash, name): that of a user whose home is known, or one by its shape. Null where the bytes are
 * no path into a home, such as `https://example.com/home/`.
 */
export function homeByShape(span: Span, slash: number, name: number, set: NeedleSet): HomeMatch | null {
  const { start, root } = rootAt(span, slash, name);
  const starts = pathStarts(span, start);
  let first = name;
  while (first < span.hi && span.memory[first] === SLASH) first++;
  const known = knownUser(span, first, set);
  if (known !== null) return starts || !belongsToHost(span, start) ? { ...known, start } : null;
  if (!starts || first >= span.hi) return null;
  if (TEMPLATE.test(textAt(span, first, first + 1))) {
    const home = `${root}/${textAt(span, first, first + 1)}`;
    return { rule: 'placeholder-home', home, start, end: first + 1 };
  }
  const end = shapedNameEnd(span, first);
  if (end === first) return null;
  const user = textAt(span, first, end);
  return { rule: ruleOf(user, set), home: `${root}/${user}`, start, end };
}

/** A Windows home `C:\Users\<user>`, the backslash before `Users` standing at `backslash`. */
export function windowsHome(span: Span, backslash: number, name: number, set: NeedleSet): HomeMatch | null {
  const start = backslash - 2;
  if (start < span.lo || span.memory[backslash - 1] !== COLON || !isLetter(span.memory[start] as number))
    return null;
  const known = knownUser(span, name, set);
  if (known !== null) return { ...known, start };
  if (start > span.lo && isLetter(span.memory[start - 1] as number)) return null;
  const end = shapedNameEnd(span, name);
  if (end === name) return null;
  return { rule: ruleOf(textAt(span, name, end), set), home: textAt(span, start, end), start, end };
}

/** `/root/…` where a path starts. */
export function rootHome(span: Span, slash: number): HomeMatch | null {
  if (!pathStarts(span, slash)) return null;
  return { rule: 'root-home', home: '/root', start: slash, end: slash + 5 };
}

/** Nix's build directories; the needle is [start, end). */
export function buildDir(span: Span, start: number, end: number): HomeMatch | null {
  const mac = start - 8;
  const first = bytesAt(span, mac, Buffer.from('/private')) ? mac : start;
  if (!pathStarts(span, first)) return null;
  return { rule: 'build-dir', home: textAt(span, first, end), start: first, end };
}

/**
 * Whether a path that the policy allows stands at `start`, or one below it. What climbs out of it
 * again is not below it.
 */
export function allowedAt(span: Span, start: number, set: NeedleSet): boolean {
  return set.lists.allow.some((path) => {
    const end = start + path.length;
    if (end > span.hi || textAt(span, start, end) !== path) return false;
    const rest = textAt(span, end, pathRunEnd(span, end, LIMITS.contextBytes));
    const whole = rest.length < LIMITS.contextBytes;
    return rest === '' || (whole && rest.startsWith('/') && !rest.includes('/..'));
  });
}

/** Whether the store dir itself stands at `start` and goes on as a store path: allowed even under a home. */
export function storeDirAt(span: Span, start: number, set: NeedleSet): boolean {
  const end = start + set.storeDir.length;
  if (set.storeDir.length > LIMITS.needleBytes || end > span.hi) return false;
  if (textAt(span, start, end) !== set.storeDir || !componentEnds(span, end)) return false;
  return !climbsOut(textAt(span, end, pathRunEnd(span, end, LIMITS.contextBytes)));
}

/** Whether what follows a directory leads out of it again (`/../../x`). */
function climbsOut(rest: ByteString): boolean {
  let depth = 0;
  for (const part of rest.split('/')) {
    if (part === '' || part === '.') continue;
    depth += part === '..' ? -1 : 1;
    if (depth < 0) return true;
  }
  return false;
}

/** The user at `name` whose home is known, under whatever root this is. */
function knownUser(span: Span, name: number, set: NeedleSet): Omit<HomeMatch, 'start'> | null {
  if (set.users.size === 0) return null;
  const end = trimmedEnd(span, name, userNameEnd(span, name));
  const home = set.users.get(textAt(span, name, end));
  if (home !== undefined) return { rule: 'known-home', home, end };
  for (const user of set.unusualUsers) {
    const userEnd = name + user.length;
    if (userEnd > span.hi || !componentEnds(span, userEnd) || textAt(span, name, userEnd) !== user) continue;
    return { rule: 'known-home', home: set.users.get(user) as ByteString, end: userEnd };
  }
  return null;
}

function ruleOf(user: ByteString, set: NeedleSet): Rule {
  return set.lists.placeholders.has(user) ? 'placeholder-home' : 'foreign-home';
}

/** One past what looks like a user's name at `name`; `name` itself where nothing does. */
function shapedNameEnd(span: Span, name: number): number {
  const ascii = userNameEnd(span, name);
  if (ascii < span.hi && (span.memory[ascii] as number) >= 0x80) {
    const stop = Math.min(span.hi, name + USER_BYTES);
    let last = ascii;
    while (last < stop && ((span.memory[last] as number) >= 0x80 || userNameEnd(span, last) > last)) last++;
    const end = trimmedEnd(span, name, last);
    const text = exactText(textAt(span, name, end));
    if (text !== null && LETTERS.test(text)) return end;
  }
  const end = trimmedEnd(span, name, ascii);
  return end - name <= USER_BYTES && USER_SHAPE.test(textAt(span, name, end)) ? end : name;
}

function rootAt(span: Span, slash: number, name: number): { start: number; root: string } {
  const last = textAt(span, slash, name - 1);
  for (const candidate of ROOT_PREFIXES) {
    const start = slash - candidate.before.length;
    if (candidate.last === last && bytesAt(span, start, candidate.before) && pathStarts(span, start)) {
      return { start, root: candidate.root };
    }
  }
  return { start: slash, root: last };
}

/** A name does not end in a full stop or a dash: `/home/zoe.` at the end of a sentence. */
function trimmedEnd(span: Span, start: number, end: number): number {
  let last = end;
  while (last > start && (span.memory[last - 1] === 0x2e || span.memory[last - 1] === 0x2d)) last--;
  return last;
}
