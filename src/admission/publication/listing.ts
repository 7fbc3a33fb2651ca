import { setImmediate } from 'node:timers/promises';

/** Characters that are read before others are served: some milliseconds. */
const SLICE = 1 << 19;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN = 0x7b;
const CLOSE = 0x7d;

/** A place in the tree that somebody asks for, or on the way to one. */
interface Wanted {
  /** Null: only what is below it is asked for. */
  path: string | null;
  readonly entries: Map<string, Wanted>;
}

/**
 * Which of these paths are regular files of a listing, as this server writes them (`.ls`). It may have very many
 * entries, so it is not made into objects, and the thread that serves is not held up for long.
 */
export async function filesAmong(listing: string, paths: Iterable<string>): Promise<ReadonlySet<string>> {
  const search = new ListingSearch(listing, paths);
  while (!search.read(SLICE)) await setImmediate();
  return search.found;
}

class ListingSearch {
  readonly found = new Set<string>();
  readonly #text: string;
  #at = 0;
  /** Where the last key of an object lies, quotes included. */
  #key = { start: 0, end: 0 };
  /** The objects that are open and lead to what is wanted, and how many are open in the last one that do not. */
  readonly #open: {
    readonly kind: 'listing' | 'entry' | 'entries';
    readonly wanted: Wanted;
    isFile: boolean;
  }[] = [];
  #others = 0;
  readonly #root: Wanted = { path: null, entries: new Map() };
  #missing = 0;

  constructor(text: string, paths: Iterable<string>) {
    this.#text = text;
    for (const path of new Set(paths)) this.#want(path);
  }

  /** Reads on. @returns whether nothing more can be found */
  read(most: number): boolean {
    const text = this.#text;
    const end = Math.min(this.#at + most, text.length);
    while (this.#at < end && this.#missing > 0) {
      const code = text.charCodeAt(this.#at);
      if (code === QUOTE) this.#string();
      else {
        this.#at++;
        if (code === OPEN) this.#begin();
        else if (code === CLOSE) this.#end();
      }
    }
    return this.#missing === 0 || this.#at >= text.length;
  }

  #want(path: string): void {
    let place = this.#root;
    for (const part of path.split('/')) {
      const next: Wanted = place.entries.get(part) ?? { path: null, entries: new Map() };
      place.entries.set(part, next);
      place = next;
    }
    place.path = path;
    this.#missing++;
  }

  /** A key or a value. */
  #string(): void {
    const text = this.#text;
    const start = this.#at;
    let close = text.indexOf('"', start + 1);
    while (close !== -1 && this.#isEscaped(close)) close = text.indexOf('"', close + 1);
    // of a listing that breaks off no more is there
    this.#at = close === -1 ? text.length : close + 1;
    if (close === -1 || this.#others > 0) return;
    if (text[this.#at] === ':') this.#key = { start, end: this.#at };
    else {
      const open = this.#open.at(-1);
      if (open?.kind === 'entry' && this.#named() === 'type')
        open.isFile = text.startsWith('"regular"', start);
    }
  }

  #isEscaped(at: number): boolean {
    let before = at;
    while (this.#text.charCodeAt(before - 1) === BACKSLASH) before--;
    return (at - before) % 2 === 1;
  }

  #begin(): void {
    const open = this.#open.at(-1);
    if (open === undefined) this.#open.push({ kind: 'listing', wanted: this.#root, isFile: false });
    else if (this.#others > 0) this.#others++;
    else {
      const { kind, wanted } = open;
      const name = this.#named();
      const child = kind === 'entries' ? wanted.entries.get(name) : wanted;
      const isOnTheWay = kind === 'entries' || name === (kind === 'listing' ? 'root' : 'entries');
      if (child === undefined || !isOnTheWay) this.#others = 1;
      else this.#open.push({ kind: kind === 'entry' ? 'entries' : 'entry', wanted: child, isFile: false });
    }
  }

  #end(): void {
    if (this.#others > 0) {
      this.#others--;
      return;
    }
    const { wanted, isFile = false } = this.#open.pop() ?? {};
    if (wanted === undefined || wanted.path === null || !isFile || this.found.has(wanted.path)) return;
    this.found.add(wanted.path);
    this.#missing--;
  }

  /** The last key. */
  #named(): string {
    return String(JSON.parse(this.#text.slice(this.#key.start, this.#key.end)));
  }
}
