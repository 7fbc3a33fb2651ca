import type { ByteString } from '../model/bytes.ts';
import { LIMITS } from '../model/limits.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const [TAB, LINE_FEED, CARRIAGE_RETURN] = [0x09, 0x0a, 0x0d];

/** What stands behind a backslash, and what it means. */
const ESCAPES: ReadonlyMap<number, number> = new Map([
  [QUOTE, QUOTE],
  [BACKSLASH, BACKSLASH],
  [0x6e, LINE_FEED],
  [0x72, CARRIAGE_RETURN],
  [0x74, TAB],
]);

/** Not what was expected; `offset` is that of the byte in question. */
export class AtermFault extends Error {
  readonly offset: number;

  constructor(message: string, offset: number) {
    super(message);
    this.offset = offset;
  }
}

/**
 * A cursor over the strings, lists and tuples of the ATerm format, as Nix writes them: no spaces, one
 * way of writing each string. What Nix never writes is refused. (Nix: src/libstore/derivations.cc,
 * printString.)
 */
export class AtermReader {
  readonly #bytes: Buffer;
  #at = 0;
  #items = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Whether exactly these characters come next; then they are passed. */
  takes(text: string): boolean {
    const end = this.#at + text.length;
    if (this.#bytes.toString('latin1', this.#at, end) !== text) return false;
    this.#at = end;
    return true;
  }

  /** @throws AtermFault where something else comes next */
  expect(text: string): void {
    if (!this.takes(text)) throw this.fault(`expected ${text}`);
  }

  /** @throws AtermFault where no string comes next, or none that Nix would write */
  string(): ByteString {
    this.expect('"');
    const start = this.#at;
    let escapes = 0;
    for (;;) {
      const byte = this.#bytes[this.#at];
      if (byte === QUOTE) break;
      if (byte === undefined) throw this.fault('a string does not end');
      if (byte === TAB || byte === LINE_FEED || byte === CARRIAGE_RETURN) {
        throw this.fault('a control character that is not escaped');
      }
      if (byte === BACKSLASH) {
        if (!ESCAPES.has(this.#bytes[this.#at + 1] ?? -1)) throw this.fault('an escape that means nothing');
        escapes++;
        this.#at++;
      }
      this.#at++;
    }
    const raw = this.#bytes.subarray(start, this.#at++);
    return escapes === 0 ? raw.toString('latin1') : unescaped(raw, escapes);
  }

  /**
   * Reads a list, each item of it by `item`.
   * @throws AtermFault where it is none, or all lists have more than LIMITS.derivationItems
   */
  list(item: () => void): void {
    this.expect('[');
    if (this.takes(']')) return;
    do {
      if (++this.#items > LIMITS.derivationItems) {
        throw this.fault(`more than ${LIMITS.derivationItems} items`);
      }
      item();
    } while (this.takes(','));
    this.expect(']');
  }

  /** @throws AtermFault where something is left */
  end(): void {
    if (this.#at < this.#bytes.length) throw this.fault('something follows the end');
  }

  fault(message: string): AtermFault {
    return new AtermFault(message, this.#at);
  }
}

function unescaped(raw: Buffer, escapes: number): ByteString {
  const bytes = Buffer.allocUnsafe(raw.length - escapes);
  let at = 0;
  for (let index = 0; index < bytes.length; index++) {
    let byte = raw[at++] ?? 0;
    if (byte === BACKSLASH) byte = ESCAPES.get(raw[at++] ?? -1) ?? 0;
    bytes[index] = byte;
  }
  return bytes.toString('latin1');
}
