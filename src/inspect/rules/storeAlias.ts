import type { ByteString } from '../../model/bytes.ts';
import type { Severity } from '../../model/facts.ts';
import { LIMITS } from '../../model/limits.ts';
import type { NeedleSet } from '../../needles/compile.ts';
import { hashPartAt, pathRunStart, textAt, type Span } from './boundaries.ts';

/** A store path that was reached through a directory that is not the logical store dir. */
export interface StoreAlias {
  /** Address of the alias's first byte. */
  readonly start: number;
  /** The physical store dir, such as `/home/u/nix/store`. */
  readonly alias: ByteString;
  readonly hashPart: ByteString;
  readonly severity: Severity;
}

/** What is known of a hash part when an alias stands before it. */
export interface HashKnowledge {
  /** Hash parts of the output itself and of the references that are known. */
  readonly known: ReadonlySet<ByteString>;
  /** Whether `known` holds all references. */
  readonly complete: boolean;
}

const ALLOWED = new Set(['/nix/store', '/gnu/store']);
const IMAGE_PREFIXES = new Set(['/sysroot', '/mnt', '/mnt-root', '/rootfs']);
const IMAGE_STORES = new Set(['/nix/.ro-store', '/nix/.rw-store']);
const OPTION = /^-[A-Za-z]+$/;

/**
 * The alias that ends right before the hash part at `hash`, or null where the store path is
 * logical, relative, or part of a packed string table. DESIGN.md, "store-alias".
 */
export function storeAliasBefore(
  span: Span,
  hash: number,
  set: NeedleSet,
  hashes: HashKnowledge,
): StoreAlias | null {
  const start = pathRunStart(span, hash, LIMITS.contextBytes - 64);
  const run = textAt(span, start, hash);
  if (!run.endsWith('/')) return null;
  const hashPart = textAt(span, hash, hash + 32);
  const own = hashes.known.has(hashPart);
  const logical = run.endsWith(`${set.storeDir}/`);
  const lead = logical ? run.slice(0, -set.storeDir.length - 1) : run.slice(0, -1);
  if (logical && !lead.includes('/')) return null;
  if (holdsStorePath(span, start, start + lead.length)) return null;
  const first = absoluteStart(span, start, lead, own);
  if (first === null) return null;

  const alias = run.slice(first, -1);
  const prefix = lead.slice(first);
  if (!own && ALLOWED.has(alias)) return null;
  const image = (logical && IMAGE_PREFIXES.has(prefix)) || IMAGE_STORES.has(alias) || imageStore(alias);
  if (image) return { start: start + first, alias, hashPart, severity: 'note' };
  const certain = own || !hashes.complete || set.aliases.includes(alias) || inHome(alias, set.homes);
  return { start: start + first, alias, hashPart, severity: certain ? 'error' : 'warning' };
}

/** `/mnt/nix/store` where the logical store dir is another one. */
function imageStore(alias: ByteString): boolean {
  for (const store of ALLOWED) {
    if (alias.endsWith(store) && IMAGE_PREFIXES.has(alias.slice(0, -store.length))) return true;
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
 * right before the slash (`argument/gpfs/x`) may be the end of another constant: that counts only
 * where the hash is known to be this output's or its references'.
 */
function absoluteStart(span: Span, start: number, lead: ByteString, own: boolean): number | null {
  const slash = lead.indexOf('/');
  if (slash < 0) return null;
  const before = lead.slice(0, slash);
  if (before === '') {
    let first = 0;
    while (lead[first + 1] === '/') first++;
    const afterColon = start > span.lo && span.memory[start - 1] === 0x3a;
    return first === 1 && afterColon ? null : first;
  }
  if (OPTION.test(before)) return slash;
  if (/^[.$~%]/.test(before) || IMAGE_PREFIXES.has(`/${before}`)) return null;
  return own ? slash : null;
}
