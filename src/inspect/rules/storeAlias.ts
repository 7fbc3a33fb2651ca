import type { ByteString } from '../../model/bytes.ts';
import type { Severity } from '../../model/facts.ts';
import { LIMITS } from '../../model/limits.ts';
import type { NeedleSet } from '../../needles/compile.ts';
import { hashPartAt, pathRunStart, textAt, type Span } from './boundaries.ts';
import { plainPath } from './plainPath.ts';

/** A store path that was reached through a directory that is not the logical store dir. */
export interface StoreAlias {
  /** Where the alias stands: [start, end). */
  readonly start: number;
  readonly end: number;
  /** The physical store dir as a plain path, such as `/home/u/nix/store`. */
  readonly alias: ByteString;
  readonly hashPart: ByteString;
  readonly severity: Severity;
}

const ALLOWED = new Set(['/nix/store', '/gnu/store']);
const SLASH = 0x2f;
/** What begins a relative run: a climb, a variable, a template. */
const RELATIVE = /^(?:\.{1,2}$|[$~%@])/;
const OPTION = /^-[A-Za-z]+$/;
/** Directories of systems in which no store lies: right before a store path they are another constant. */
const SYSTEM =
  /^\/(?:etc|proc|dev|sys|bin|sbin|lib|lib64|usr\/(?:bin|sbin|lib|lib64|libexec|share|include))(?:\/|$)/;

/**
 * The alias that ends right before the hash part at `hash`, or null where the store path is
 * logical, relative, or part of a packed string table. DESIGN.md, "store-alias".
 */
export function storeAliasBefore(span: Span, hash: number, set: NeedleSet): StoreAlias | null {
  const start = pathRunStart(span, hash, LIMITS.contextBytes - 64);
  const run = textAt(span, start, hash);
  let length = run.length;
  while (length > 0 && run.charCodeAt(length - 1) === SLASH) length--;
  if (length === run.length) return null;
  const path = run.slice(0, length);
  const hashPart = textAt(span, hash, hash + 32);
  const own = set.hashParts.has(hashPart);
  const logical = path.endsWith(set.storeDir);
  const lead = logical ? path.slice(0, -set.storeDir.length) : path;
  if (logical && !lead.includes('/')) return null;
  if (holdsStorePath(span, start, start + lead.length)) return null;
  const images = set.lists.imagePrefixes;
  const absolute = absoluteStart(span, start, lead, logical, own, images);
  if (absolute === null) return null;

  const { first, sure } = absolute;
  const alias = plainPath(path.slice(first));
  if (alias === set.storeDir || (!own && ALLOWED.has(alias))) return null;
  const found = { start: start + first, end: start + length, alias, hashPart };
  const prefix = alias.endsWith(set.storeDir) ? alias.slice(0, -set.storeDir.length) : null;
  if (prefix !== null && SYSTEM.test(prefix)) return null;
  const image = (prefix !== null && images.has(prefix)) || images.has(alias) || imageStore(alias, images);
  if (image) return { ...found, severity: 'note' };
  const leads = set.aliases.includes(alias) || inHome(alias, set.homes);
  const certain = own || leads || sure;
  return { ...found, severity: certain ? 'error' : 'warning' };
}

/** `/mnt/nix/store` where the logical store dir is another one. */
function imageStore(alias: ByteString, images: ReadonlySet<ByteString>): boolean {
  for (const store of ALLOWED) {
    if (alias.endsWith(store) && images.has(alias.slice(0, -store.length))) return true;
  }
  return false;
}

function inHome(alias: ByteString, homes: readonly ByteString[]): boolean {
  return homes.some((home) => alias === home || alias.startsWith(`${home}/`));
}

/** Packed string tables: `/nix/store/<hash>-a/etc/x/nix/store/<hash>-b` is two constants in one run. */
function holdsStorePath(span: Span, start: number, end: number): boolean {
  for (let address = start; address + 34 < end; address++) {
    if (
      span.memory[address] === 0x2f &&
      hashPartAt(span, address + 1) &&
      span.memory[address + 33] === 0x2d
    ) {
      return true;
    }
  }
  return false;
}

/**
 * Index in `lead` of the slash that starts an absolute path, or null for a relative one. A name
 * right before it (`argument/gpfs/x`) may be the end of another constant, or a directory: not
 * `sure`, unless it is one byte, such as the length that some formats write before a string.
 */
function absoluteStart(
  span: Span,
  start: number,
  lead: ByteString,
  logical: boolean,
  own: boolean,
  images: ReadonlySet<ByteString>,
): { readonly first: number; readonly sure: boolean } | null {
  const slash = lead.indexOf('/');
  if (slash < 0) return null;
  const before = lead.slice(0, slash);
  if (before === '') {
    let first = 0;
    while (lead[first + 1] === '/') first++;
    const afterColon = start > span.lo && span.memory[start - 1] === 0x3a;
    return first === 1 && afterColon ? null : { first, sure: true };
  }
  if (OPTION.test(before)) return { first: slash, sure: true };
  if (RELATIVE.test(before) || images.has(`/${before}`)) return null;
  if (own || before.length === 1 || before.charCodeAt(slash - 1) >= 0x80) return { first: slash, sure: true };
  return logical ? { first: slash, sure: false } : null;
}
