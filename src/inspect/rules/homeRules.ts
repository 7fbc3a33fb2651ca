import type { ByteString } from '../../model/bytes.ts';
import type { Rule } from '../../model/facts.ts';
import { LIMITS } from '../../model/limits.ts';
import { HOME_ROOTS } from '../../needles/homes.ts';
import type { NeedleSet } from '../../needles/compile.ts';
import {
  bytesAt,
  componentEnds,
  isLetter,
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

/** User names that mean nobody: documentation, templates, shared folders and CI services. */
const PLACEHOLDERS = new Set(
  [
    'user username user_name user-name USER USERNAME users yourname your-name your_name yourusername',
    'your_username your-username youruser you yourself myuser myusername myname me name someone somebody',
    'someuser anyuser example foo bar baz xxx runner linuxbrew Shared Public Default All',
  ]
    .join(' ')
    .split(' '),
);

/** First bytes of a component that stands for a name: `$USER`, `%u`, `<user>`, `{user}`, `*`, `@user@`. */
const TEMPLATE = /^[$%<{*@]/;
const USER_SHAPE = /^[A-Za-z_][A-Za-z0-9._-]*$/;

/** Longer roots first, by their bytes before the final `/home/` or `/Users/`. */
const ROOT_PREFIXES = HOME_ROOTS.map((root) => ({
  root,
  last: root.slice(root.lastIndexOf('/')),
  before: Buffer.from(root.slice(0, root.lastIndexOf('/'))),
}))
  .filter(({ before }) => before.length > 0)
  .sort((a, b) => b.before.length - a.before.length);

/**
 * The home shaped like `<root>/<user>` whose root's last component (`/home/` or `/Users/`) stands
 * at [slash, name). Null where the bytes are no path into a home, such as `https://example.com/home/`.
 */
export function homeByShape(span: Span, slash: number, name: number, set: NeedleSet): HomeMatch | null {
  const { start, root } = rootAt(span, slash, name);
  if (!pathStarts(span, start)) return null;
  const stop = Math.min(span.hi, name + 1);
  if (stop > name && TEMPLATE.test(textAt(span, name, stop))) {
    return {
      rule: 'placeholder-home',
      home: `${root}/${textAt(span, name, name + 1)}`,
      start,
      end: name + 1,
    };
  }
  const end = trimmedEnd(span, name, userNameEnd(span, name));
  const user = textAt(span, name, end);
  if (!USER_SHAPE.test(user) || user.length > 64) return null;
  return { ...userRule(user, set, `${root}/${user}`), start, end };
}

/** A Windows home `C:\Users\<user>`, the backslash before `Users` standing at `backslash`. */
export function windowsHome(span: Span, backslash: number, name: number, set: NeedleSet): HomeMatch | null {
  const start = backslash - 2;
  if (start < span.lo || span.memory[backslash - 1] !== 0x3a || !isLetter(span.memory[start] as number))
    return null;
  if (start > span.lo && isLetter(span.memory[start - 1] as number)) return null;
  const end = trimmedEnd(span, name, userNameEnd(span, name));
  const user = textAt(span, name, end);
  if (!USER_SHAPE.test(user) || user.length > 64) return null;
  return { ...userRule(user, set, textAt(span, start, end)), start, end };
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

/** Whether the store dir itself stands at `start` and goes on as a store path: allowed even under a home. */
export function storeDirAt(span: Span, start: number, set: NeedleSet): boolean {
  const end = start + set.storeDir.length;
  if (set.storeDir.length > LIMITS.needleBytes || end > span.hi) return false;
  return textAt(span, start, end) === set.storeDir && componentEnds(span, end);
}

function userRule(user: ByteString, set: NeedleSet, home: ByteString): { rule: Rule; home: ByteString } {
  const known = set.users.get(user);
  if (known !== undefined) return { rule: 'known-home', home: known };
  return { rule: PLACEHOLDERS.has(user) ? 'placeholder-home' : 'foreign-home', home };
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
