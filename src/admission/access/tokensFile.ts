import { type BigIntStats, statSync } from 'node:fs';
import { unsafeAt } from '../../ledger/ownership.ts';
import { readSettingsFile, SettingsFileFault } from '../../ledger/settingsFile.ts';
import { NarScanError } from '../../model/errors.ts';
import { LIMITS } from '../../model/limits.ts';
import { parseTokens, type Token } from './tokens.ts';

/** The tokens of a file, as it is now. */
export class TokensFile {
  readonly #path: string;
  readonly #warn: (error: NarScanError) => void;
  readonly #now: () => number;
  #tokens: readonly Token[];
  /** As it was when it was read last. */
  #seen: string;
  /** As it was when somebody was told last that it cannot be read. */
  #told = '';
  #looked: number;

  /**
   * @param path of a file with one token at least; later it may hold none
   * @param warn is told of a change that cannot be read: what counted before it goes on to count
   * @throws NarScanError TOKENS_UNREADABLE, TOKENS_INVALID, TOKENS_UNSAFE
   */
  constructor(path: string, warn: (error: NarScanError) => void, now: () => number = Date.now) {
    this.#path = path;
    this.#warn = warn;
    this.#now = now;
    this.#looked = now();
    // what changes from here on is noticed
    this.#seen = markOf(path);
    this.#tokens = readTokens(path);
    // who takes the last one away means that; who starts with none has forgotten something
    if (this.#tokens.length === 0) throw new NarScanError('TOKENS_INVALID', `there is no token in '${path}'`);
  }

  /** The file is looked at when somebody asks, but not more often than every second. */
  get tokens(): readonly Token[] {
    const now = this.#now();
    const age = now - this.#looked;
    // a clock that was set back is no reason not to look
    if (age < 0 || age >= LIMITS.tokensMilliseconds) {
      this.#looked = now;
      this.#refresh();
    }
    return this.#tokens;
  }

  #refresh(): void {
    const mark = markOf(this.#path);
    if (mark === this.#seen) return;
    try {
      this.#tokens = readTokens(this.#path);
      this.#seen = mark;
    } catch (error) {
      if (!(error instanceof NarScanError)) throw error;
      // what stands in the way may go without the file being touched again
      if (mark !== this.#told) this.#warn(error);
      this.#told = mark;
    }
  }
}

/** @throws NarScanError TOKENS_UNREADABLE, TOKENS_INVALID, TOKENS_UNSAFE */
function readTokens(path: string): readonly Token[] {
  let bytes: Buffer;
  try {
    bytes = readSettingsFile(path, LIMITS.tokensBytes, (status) => {
      const found = unsafeAt(path, status);
      if (found === null) return;
      throw new NarScanError('TOKENS_UNSAFE', `the tokens at '${found.path}' are not used: ${found.why}`);
    });
  } catch (error) {
    if (!(error instanceof SettingsFileFault)) throw error;
    const { message, cause } = error;
    throw new NarScanError('TOKENS_UNREADABLE', `the tokens in '${path}' cannot be read: ${message}`, {
      cause,
    });
  }
  return parseTokens(bytes, path);
}

/** What changes when somebody writes the file or puts another in its place. */
function markOf(path: string): string {
  let status: BigIntStats | undefined;
  try {
    status = statSync(path, { bigint: true, throwIfNoEntry: false });
  } catch (error) {
    return String(error);
  }
  if (status === undefined) return 'missing';
  const { dev, ino, size, mtimeNs, ctimeNs } = status;
  return [dev, ino, size, mtimeNs, ctimeNs].join(' ');
}
