/** The keys from the root of a document to a value; the elements of arrays of tables are numbers. */
export type KeyPath = readonly (string | number)[];

/** What a TOML document says where; of a document that was parsed before. */
export interface TomlLines {
  /** The line of the nearest key that leads to a path, from 1. */
  lineOf(path: KeyPath): number;
  /** Dates that no calendar has, such as 2027-02-30; the parser takes them for later ones. */
  readonly impossibleDates: readonly { readonly line: number; readonly text: string }[];
}

const DATE = /^[0-9]{4}-[0-9]{2}-[0-9]{2}/;
const BARE = /[A-Za-z0-9_-]/;
const QUOTES = ['"""', "'''", '"', "'"];

/** Finds the lines of keys in a well-formed TOML document. */
export function tomlLines(text: string): TomlLines {
  const reader = new Reader(text);
  reader.read();
  return {
    lineOf(path) {
      for (let length = path.length; length > 0; length--) {
        const line = reader.lines.get(JSON.stringify(path.slice(0, length)));
        if (line !== undefined) return line;
      }
      return 1;
    },
    impossibleDates: reader.impossibleDates,
  };
}

/** Goes through a document statement by statement: headers, and keys with their values. */
class Reader {
  readonly lines = new Map<string, number>();
  readonly impossibleDates: { line: number; text: string }[] = [];
  readonly #text: string;
  /** How many elements each array of tables has so far. */
  readonly #counts = new Map<string, number>();
  #at = 0;
  #line = 1;

  constructor(text: string) {
    this.#text = text;
  }

  read(): void {
    let table: KeyPath = [];
    while (this.#at < this.#text.length) {
      const { char } = this;
      if (char === '#') this.#skipComment();
      else if (/\s/.test(char)) this.#step();
      else if (char === '[') table = this.#header();
      else this.#assignment(table);
    }
  }

  private get char(): string {
    return this.#text[this.#at] ?? '';
  }

  #step(): void {
    if (this.char === '\n') this.#line++;
    this.#at++;
  }

  #skipComment(): void {
    while (this.#at < this.#text.length && this.char !== '\n') this.#at++;
  }

  #header(): KeyPath {
    const array = this.#text.startsWith('[[', this.#at);
    this.#at += array ? 2 : 1;
    const line = this.#line;
    const keys = this.#keys();
    this.#at += array ? 2 : 1;
    let path = this.#indexed(array ? keys.slice(0, -1) : keys);
    if (array) {
      path = [...path, ...keys.slice(-1)];
      const name = JSON.stringify(path);
      const index = this.#counts.get(name) ?? 0;
      this.#counts.set(name, index + 1);
      this.#remember(path, line);
      path = [...path, index];
    }
    this.#remember(path, line);
    return path;
  }

  #assignment(table: KeyPath): void {
    const line = this.#line;
    const keys = this.#keys();
    for (let length = 1; length <= keys.length; length++) {
      this.#remember([...table, ...keys.slice(0, length)], line);
    }
    this.#at++; // the equals sign
    this.#value();
  }

  /** A dotted key, up to what ends it. */
  #keys(): string[] {
    const keys: string[] = [];
    while (this.#at < this.#text.length) {
      const { char } = this;
      if (char === '=' || char === ']') return keys;
      if (char === '"' || char === "'") keys.push(this.#string());
      else if (BARE.test(char)) {
        const start = this.#at;
        while (BARE.test(this.char)) this.#at++;
        keys.push(this.#text.slice(start, this.#at));
      } else this.#step();
    }
    return keys;
  }

  /** A value up to the end of its last line; what strings hold is skipped. */
  #value(): void {
    let depth = 0;
    while (this.#at < this.#text.length) {
      const { char } = this;
      if (char === '\n' && depth === 0) return;
      if (char === '#') this.#skipComment();
      else if (char === '"' || char === "'") this.#string();
      else if (/[A-Za-z0-9]/.test(char)) this.#word();
      else {
        if (char === '[' || char === '{') depth++;
        if (char === ']' || char === '}') depth--;
        this.#step();
      }
    }
  }

  #word(): void {
    const start = this.#at;
    while (/[A-Za-z0-9_+.:-]/.test(this.char)) this.#at++;
    const text = DATE.exec(this.#text.slice(start, this.#at))?.[0];
    if (text !== undefined && !isDay(text)) this.impossibleDates.push({ line: this.#line, text });
  }

  /** A string of any of the four kinds; the text of a key, where it is one. */
  #string(): string {
    const quote = QUOTES.find((mark) => this.#text.startsWith(mark, this.#at)) ?? '"';
    const start = this.#at;
    this.#at += quote.length;
    while (this.#at < this.#text.length && !this.#text.startsWith(quote, this.#at)) {
      if (quote.startsWith('"') && this.char === '\\') this.#step();
      this.#step();
    }
    this.#at += quote.length;
    // one or two more quotes may belong to the end of a long string
    while (quote.length === 3 && this.char === quote[0]) this.#at++;
    return unquoted(this.#text.slice(start + quote.length, this.#at - quote.length), quote);
  }

  #indexed(keys: readonly string[]): KeyPath {
    const path: (string | number)[] = [];
    for (const key of keys) {
      path.push(key);
      const count = this.#counts.get(JSON.stringify(path));
      if (count !== undefined) path.push(count - 1);
    }
    return path;
  }

  #remember(path: KeyPath, line: number): void {
    const name = JSON.stringify(path);
    if (!this.lines.has(name)) this.lines.set(name, line);
  }
}

function unquoted(text: string, quote: string): string {
  if (quote !== '"') return text;
  try {
    return String(JSON.parse(`"${text}"`));
  } catch {
    return text; // an escape that JSON does not know: such a key is looked for in vain
  }
}

function isDay(text: string): boolean {
  const day = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(day.getTime()) && day.toISOString().startsWith(text);
}
