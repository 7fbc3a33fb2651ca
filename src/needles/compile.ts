import { bytesOfByteString, byteStringOfText, type ByteString } from '../model/bytes.ts';
import { LIMITS } from '../model/limits.ts';
import { Extensions, type Extension } from './extensions.ts';
import { encodeNeedles, type EncodedNeedle } from './encoded.ts';
import { normalHome, underHomeRoot } from './homes.ts';
import { type RuleEdits, type RuleLists, ruleLists } from './ruleLists.ts';

/** What the scan knows beforehand; everything the needles depend on. Serialisable. */
export interface NeedleContext {
  /** Homes known to be of this build, absolute, accepted by `refuseHome`. */
  readonly homes: readonly string[];
  /** Physical paths of the store, absolute, other than `storeDir`. */
  readonly aliases: readonly string[];
  /** The logical store dir. */
  readonly storeDir: string;
  /** Hash parts of the scanned outputs and of references that are known: 32 characters each. */
  readonly hashParts: readonly string[];
  /** How the lists of the rules were changed. */
  readonly edits?: RuleEdits;
}

/** What an occurrence of a needle means to the rules. */
export type NeedleMeaning =
  | { readonly kind: 'home-root' }
  | { readonly kind: 'windows-users' }
  | { readonly kind: 'root-home' }
  | { readonly kind: 'build-dir' }
  | { readonly kind: 'known-home'; readonly home: ByteString }
  | { readonly kind: 'alias'; readonly alias: ByteString }
  | { readonly kind: 'store-anchor' }
  | { readonly kind: 'hash-part' }
  /** The beginning of literals that are longer than a needle may be. */
  | { readonly kind: 'beginning' };

/** One needle of the kernel, with the literals that are only reached through it. */
export interface CompiledNeedle {
  readonly bytes: Uint8Array;
  readonly text: ByteString;
  readonly meaning: NeedleMeaning;
  readonly extensions: Extensions;
}

export interface NeedleSet {
  /** What is searched for in plain bytes. */
  readonly needles: readonly CompiledNeedle[];
  /** What is searched for besides: the same in other encodings. */
  readonly encoded: readonly EncodedNeedle[];
  /** The kernel's needles: the bytes of `needles`, then those of `encoded`. */
  readonly patterns: readonly Uint8Array[];
  readonly homes: readonly ByteString[];
  /** Names of users whose home is known: they count under every other home root too. */
  readonly users: ReadonlyMap<ByteString, ByteString>;
  /** Those among them whose end no alphabet tells: with spaces, `@`, letters beyond ASCII. */
  readonly unusualUsers: readonly ByteString[];
  readonly aliases: readonly ByteString[];
  readonly storeDir: ByteString;
  readonly hashParts: ReadonlySet<ByteString>;
  readonly lists: RuleLists;
}

const FIXED: readonly (readonly [string, NeedleMeaning])[] = [
  ['/home/', { kind: 'home-root' }],
  ['/Users/', { kind: 'home-root' }],
  ['\\Users\\', { kind: 'windows-users' }],
  ['/root/', { kind: 'root-home' }],
  ['/store/', { kind: 'store-anchor' }],
  ['/nix/var/nix/builds/', { kind: 'build-dir' }],
  ['/tmp/nix-build-', { kind: 'build-dir' }],
];

interface Growing {
  readonly text: ByteString;
  readonly meaning: NeedleMeaning;
  readonly extensions: Extension[];
}

function beginningOf(text: ByteString): Growing {
  return { text: text.slice(0, LIMITS.needleBytes), meaning: { kind: 'beginning' }, extensions: [] };
}

/** A user's name as the rules find its end. */
const USUAL_USER = /^[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9_])?$/;

/**
 * Compiles what is searched for. A literal that contains another needle is not a needle of its
 * own but an extension of it: every home under `/home/` costs the kernel nothing.
 *
 * @throws NarScanError NEEDLES_TOO_MANY
 */
export function compileNeedles(context: NeedleContext): NeedleSet {
  const homes = [...new Set(context.homes.map((home) => byteStringOfText(normalHome(home))))];
  const aliases = [...new Set(context.aliases.map((alias) => byteStringOfText(normalHome(alias))))];
  const literals = new Map<ByteString, NeedleMeaning>(FIXED);
  for (const home of homes) literals.set(home, { kind: 'known-home', home });
  for (const alias of aliases) if (!literals.has(alias)) literals.set(alias, { kind: 'alias', alias });
  for (const hash of context.hashParts) literals.set(hash, { kind: 'hash-part' });

  const byLength = [...literals].sort(([a], [b]) => a.length - b.length || (a < b ? -1 : 1));
  const needles: Growing[] = [];
  for (const [text, meaning] of byLength) {
    const root = needles.find((needle) => text.includes(needle.text));
    if (root === undefined && text.length <= LIMITS.needleBytes) {
      needles.push({ text, meaning, extensions: [] });
      continue;
    }
    const extended = root ?? beginningOf(text);
    if (root === undefined) needles.push(extended);
    const before = text.indexOf(extended.text);
    extended.extensions.push({ before, bytes: bytesOfByteString(text), meaning });
  }
  const plain = needles.map(({ text, meaning, extensions }) => ({
    text,
    meaning,
    bytes: bytesOfByteString(text),
    extensions: new Extensions(text.length, extensions),
  }));
  const encoded = encodeNeedles(plain, context.hashParts);
  const users = new Map<ByteString, ByteString>();
  for (const home of homes) {
    const user = underHomeRoot(Buffer.from(home, 'latin1').toString('utf8'));
    if (user !== null && !users.has(user)) users.set(user, home);
  }
  return {
    needles: plain,
    encoded,
    patterns: [...plain, ...encoded].map(({ bytes }) => bytes),
    homes,
    users,
    unusualUsers: [...users.keys()].filter((user) => !USUAL_USER.test(user)),
    aliases,
    storeDir: byteStringOfText(context.storeDir),
    hashParts: new Set(context.hashParts),
    lists: ruleLists(context.edits),
  };
}
