import type { ByteString } from '../../model/bytes.ts';
import { RULES, SEVERITIES, type Rule, type Severity } from '../../model/facts.ts';
import { LIMITS } from '../../model/limits.ts';
import type { CompiledNeedle, NeedleMeaning, NeedleSet } from '../../needles/compile.ts';
import { bytesAt, componentEnds, hashPartAt, pathRunEnd, textAt, type Span } from './boundaries.ts';
import {
  allowedAt,
  buildDir,
  homeByShape,
  rootHome,
  storeDirAt,
  windowsHome,
  type HomeMatch,
} from './homeRules.ts';
import { storeAliasBefore, type StoreAlias } from './storeAlias.ts';

/** A leak in the bytes [start, end), before it is known which carrier holds it. */
export interface Leak {
  readonly rule: Rule;
  readonly home: ByteString | null;
  readonly alias: ByteString | null;
  /** The hash part behind the alias, if the leak leads to a store path. */
  readonly hashPart: ByteString | null;
  readonly start: number;
  readonly end: number;
  /** For `store-alias`: its severity; else what bytes without structure would get. */
  readonly base: Severity;
}

const STORE_ANCHOR = 7; // '/store/'
const SLASH = 0x2f;
const DASH = 0x2d;

/**
 * Says of each needle that the search found what it means: the rules in their order of precedence,
 * one leak a place. Hits of one content come in ascending order between two calls of `begin`.
 */
export class Classifier {
  readonly #set: NeedleSet;
  /** Content offset of the last hash part that a leak already names. */
  #reportedHash = -1;
  /** Content offsets [from, to) in one run of path bytes that no anchor begins at. */
  #clearFrom = 0;
  #clearTo = -1;

  constructor(set: NeedleSet) {
    this.#set = set;
  }

  /** A classifier of the same rules for another content, whose hits come between those of this one. */
  another(): Classifier {
    return new Classifier(this.#set);
  }

  /** A new content starts. */
  begin(): void {
    this.#reportedHash = -1;
    this.#clearTo = -1;
  }

  /**
   * What the needle at `address` means, or null if it is no leak. `origin` is the address at which
   * the content's offset 0 lies or would lie.
   */
  classify(span: Span, origin: number, needle: CompiledNeedle, address: number): Leak | null {
    let found = this.#meaningAt(span, origin, needle.meaning, address, needle.bytes.length);
    for (const { before, bytes, meaning } of needle.extensions.at(span.memory, address, span.hi)) {
      const start = address - before;
      if (!bytesAt(span, start, bytes)) continue;
      const leak = this.#meaningAt(span, origin, meaning, start, bytes.length);
      if (leak !== null && (found === null || precedes(leak, found))) found = leak;
    }
    return found;
  }

  #meaningAt(span: Span, origin: number, meaning: NeedleMeaning, start: number, length: number): Leak | null {
    const end = start + length;
    switch (meaning.kind) {
      case 'home-root':
        return this.#home(span, origin, homeByShape(span, start, end, this.#set));
      case 'windows-users':
        return this.#home(span, origin, windowsHome(span, start, end, this.#set));
      case 'root-home':
        return this.#home(span, origin, rootHome(span, start));
      case 'build-dir':
        return this.#home(span, origin, buildDir(span, start, end));
      case 'known-home':
        if (!componentEnds(span, end)) return null;
        return this.#home(span, origin, { rule: 'known-home', home: meaning.home, start, end });
      case 'alias':
        return this.#knownAlias(span, origin, meaning.alias, start, end);
      case 'store-anchor': {
        const hash = start + STORE_ANCHOR;
        if (!hashPartAt(span, hash) || span.memory[hash + 32] !== DASH || hash + 32 >= span.hi) return null;
        return this.#aliasBefore(span, origin, hash);
      }
      case 'hash-part':
        if (start <= span.lo || span.memory[start - 1] !== SLASH) return null;
        return this.#aliasBefore(span, origin, start);
      case 'beginning':
        return null;
    }
  }

  #home(span: Span, origin: number, match: HomeMatch | null): Leak | null {
    if (match === null || this.#allowed(span, match.start)) return null;
    const { rule, home, start, end } = match;
    const shown = rule === 'build-dir' ? null : home;
    const alias = rule === 'build-dir' ? null : this.#aliasFrom(span, origin, start);
    const hashPart = alias?.hashPart ?? null;
    if (alias === null || rule === 'known-home') {
      return { rule, home: shown, alias: alias?.alias ?? null, hashPart, start, end, base: 'error' };
    }
    return { rule: 'store-alias', home, alias: alias.alias, hashPart, start, end, base: alias.severity };
  }

  /** The alias in the path that starts at `start`, if it leads to a store path. */
  #aliasFrom(span: Span, origin: number, start: number): StoreAlias | null {
    // many homes may share one run, which is then read once
    const again = start >= this.#clearFrom + origin && start <= this.#clearTo + origin;
    const from = again ? Math.max(start, this.#clearTo + origin) : start;
    const stop = pathRunEnd(span, from, LIMITS.contextBytes - 64 - (from - start)) - 33;
    if (!again) this.#clearFrom = start - origin;
    this.#clearTo = Math.max(from, stop) - origin;
    for (let address = from; address < stop; address++) {
      if (span.memory[address] !== SLASH || !this.#isAnchor(span, address)) continue;
      this.#clearTo = address - origin;
      const alias = storeAliasBefore(span, address + 1, this.#set);
      this.#reportedHash = address + 1 - origin;
      return alias;
    }
    return null;
  }

  /** Whether the slash at `slash` leads to a hash part that counts. */
  #isAnchor(span: Span, slash: number): boolean {
    if (!hashPartAt(span, slash + 1)) return false;
    const anchored = bytesAt(span, slash + 1 - STORE_ANCHOR, STORE_SLASH) && span.memory[slash + 33] === DASH;
    return anchored || this.#set.hashParts.has(textAt(span, slash + 1, slash + 33));
  }

  #aliasBefore(span: Span, origin: number, hash: number): Leak | null {
    if (hash - origin === this.#reportedHash) return null;
    const found = storeAliasBefore(span, hash, this.#set);
    if (found === null || allowedAt(span, found.start, this.#set)) return null;
    this.#reportedHash = hash - origin;
    const { alias, hashPart, start, end, severity } = found;
    return {
      rule: 'store-alias',
      home: null,
      alias,
      hashPart,
      start,
      end,
      base: severity,
    };
  }

  #allowed(span: Span, start: number): boolean {
    return storeDirAt(span, start, this.#set) || allowedAt(span, start, this.#set);
  }

  #knownAlias(span: Span, origin: number, alias: ByteString, start: number, end: number): Leak | null {
    if (!componentEnds(span, end) || this.#allowed(span, start)) return null;
    if (span.memory[end] === SLASH && hashPartAt(span, end + 1)) this.#reportedHash = end + 1 - origin;
    return { rule: 'store-alias', home: null, alias, hashPart: null, start, end, base: 'error' };
  }
}

const STORE_SLASH = Buffer.from('/store/');

/** By rule, then severity; of two that are alike the one that shows more of the path. */
function precedes(a: Leak, b: Leak): boolean {
  if (a.rule !== b.rule) return RULES.indexOf(a.rule) < RULES.indexOf(b.rule);
  if (a.base !== b.base) return SEVERITIES.indexOf(a.base) < SEVERITIES.indexOf(b.base);
  return a.start < b.start;
}
