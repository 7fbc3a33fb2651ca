import type { ByteString } from '../../model/bytes.ts';
import { NarScanError } from '../../model/errors.ts';
import { LIMITS } from '../../model/limits.ts';
import { NarGrammar, STATE } from './grammar.ts';
import type { NarHandler } from './handler.ts';
import { Lifetime } from './lifetime.ts';
import { firstNonZero, memoryOf, padded } from './tokens.ts';
import type { Memory } from './tokens.ts';

/**
 * A push parser for NAR, as strict as the newest Nix (src/libutil/archive.cc) and stricter than
 * every older one, so that no NAR means one thing here and another to a client: fields in their
 * order and once each, entries strictly ascending by bytes, padding zero, lengths and depth bounded.
 *
 * Iterative and synchronous; holds at most one token (4 KiB) and the open directories. What it
 * calls and throws depends on the bytes only, never on how they are cut into chunks (contents come
 * in as many slices as there are chunks).
 *
 * Names with Nix's suffix for case collisions (`~nix~case~hack~1`) are plain names here, as they
 * are to Nix wherever `use-case-hack` is off. The suffix matters only to who unpacks on a
 * case-insensitive disk (CVE-2024-45593 was about unpacking); nothing is unpacked here, and
 * refusing the name would leave outputs uninspected that clients take.
 *
 * The offset of an error is where the faulty thing begins: the token of a tag or of a name or
 * target that is too long, the first byte of any other name or target, the field of a length, the
 * exact byte of padding, the node that is too deep, the end of input for NAR_TRUNCATED.
 */
export class NarParser {
  readonly #handler: NarHandler;
  readonly #grammar: NarGrammar;
  /** Where the next token or content byte to consume lies in the stream. */
  #offset: number;
  /** A token that a chunk's end cut: its first `#heldLength` bytes. */
  readonly #held = memoryOf(new Uint8Array(8 + padded(LIMITS.narTargetBytes)));
  #heldLength = 0;
  /** Content bytes, then padding bytes, of the present file still to come. */
  #left = 0;
  #passesOver = false;
  readonly #lifetime = new Lifetime('NarParser');

  constructor(handler: NarHandler, options: { initialOffset?: number } = {}) {
    this.#handler = handler;
    this.#grammar = new NarGrammar(handler);
    this.#offset = options.initialOffset ?? 0;
  }

  /** Whether the root node has ended. */
  get done(): boolean {
    return this.#grammar.state === STATE.done;
  }

  /** Offset in the stream of the first byte not taken yet; after an error, not past the faulty token. */
  get offset(): number {
    return this.#offset + this.#heldLength;
  }

  /** Whether contents begin that the handler has read elsewhere: the parser waits for {@link passOver}. */
  get passesOver(): boolean {
    return this.#passesOver;
  }

  /** Where in the tree the parser stands: the last entry that began and has not ended. */
  get path(): ByteString {
    return this.#grammar.path;
  }

  /**
   * Parses chunk[start, end). Returns how many bytes it took: all, or fewer if the root node ended
   * before `end`; what follows is the caller's, see {@link narTrailing}. Or fewer because of {@link passesOver}.
   * @throws NarScanError with a NAR_ code. After any error, and after {@link end}, a further call
   * throws an Error.
   */
  push(chunk: Uint8Array, start: number, end: number): number {
    this.#lifetime.checkPush(chunk, start, end);
    try {
      return this.#run(chunk, start, end) - start;
    } catch (error) {
      return this.#lifetime.fail(error);
    }
  }

  /**
   * Goes on behind the contents that are read elsewhere: what is pushed next must be what follows them.
   * Who calls this has made sure that the input reaches that far. Returns how many bytes they have.
   */
  passOver(): number {
    if (!this.#passesOver) throw new Error('there is nothing to pass over');
    this.#passesOver = false;
    const count = this.#left;
    this.#contentsTaken(count);
    return count;
  }

  /**
   * Says that the input ends here.
   * @throws NarScanError NAR_TRUNCATED if the NAR is not complete
   */
  end(): void {
    this.#lifetime.end();
    if (!this.done) throw new NarScanError('NAR_TRUNCATED', 'the NAR ends early', { offset: this.offset });
  }

  #run(chunk: Uint8Array, start: number, end: number): number {
    const grammar = this.#grammar;
    const memory = memoryOf(chunk);
    let at = start;
    while (at < end) {
      switch (grammar.state) {
        case STATE.contentsBody:
          if (this.#passesOver) return at;
          at += this.#takeContents(chunk, at, end);
          break;
        case STATE.contentsPadding:
          at += this.#takePadding(memory, at, end);
          break;
        case STATE.done:
          return at;
        default:
          at += this.#heldLength > 0 ? this.#takeHeld(memory, at, end) : this.#takeToken(memory, at, end);
      }
    }
    return at;
  }

  /** Consumes the token at `at`, or holds what is there of it. */
  #takeToken(memory: Memory, at: number, end: number): number {
    const grammar = this.#grammar;
    const room = end - at;
    let size = grammar.consumeRun(memory, at, room);
    if (size === 0) {
      size = grammar.tokenSize(memory, at, room, this.#offset);
      if (size > room) {
        memory.bytes.copy(this.#held.bytes, 0, at, end);
        this.#heldLength = room;
        return room;
      }
      grammar.consume(memory, at, size, this.#offset);
    }
    this.#consumed(size);
    return size;
  }

  /** Adds to the held token, and consumes it once it is whole. */
  #takeHeld(memory: Memory, at: number, end: number): number {
    const held = this.#held;
    const want = this.#grammar.tokenSize(held, 0, this.#heldLength, this.#offset);
    const count = Math.min(want - this.#heldLength, end - at);
    memory.bytes.copy(held.bytes, this.#heldLength, at, at + count);
    this.#heldLength += count;
    // Again: the size is known only since the length field is whole.
    const size = this.#grammar.tokenSize(held, 0, this.#heldLength, this.#offset);
    if (size === this.#heldLength) {
      this.#grammar.consume(held, 0, size, this.#offset);
      this.#heldLength = 0;
      this.#consumed(size);
    }
    return count;
  }

  #consumed(size: number): void {
    this.#offset += size;
    if (this.#grammar.state !== STATE.contentsBody) return;
    this.#left = this.#grammar.fileSize;
    this.#passesOver = this.#handler.elsewhere?.() === true;
  }

  #takeContents(chunk: Uint8Array, at: number, end: number): number {
    const count = Math.min(this.#left, end - at);
    this.#handler.contents(chunk, at, at + count);
    this.#contentsTaken(count);
    return count;
  }

  #contentsTaken(count: number): void {
    this.#offset += count;
    this.#left -= count;
    if (this.#left > 0) return;
    const size = this.#grammar.fileSize;
    this.#left = padded(size) - size;
    this.#grammar.state = this.#left > 0 ? STATE.contentsPadding : STATE.nodeClose;
    // Before the padding is seen: it is no part of the file, and may be what is wrong.
    this.#handler.fileEnd();
  }

  #takePadding(memory: Memory, at: number, end: number): number {
    const count = Math.min(this.#left, end - at);
    const bad = firstNonZero(memory.bytes, at, at + count);
    if (bad !== -1) {
      throw new NarScanError('NAR_PADDING', 'padding after a file is not zero', {
        offset: this.#offset + bad - at,
      });
    }
    this.#offset += count;
    this.#left -= count;
    if (this.#left === 0) this.#grammar.state = STATE.nodeClose;
    return count;
  }
}

/** The error for bytes that follow the root node, which begin at `offset`. Whether it is one the caller knows. */
export function narTrailing(offset: number): NarScanError {
  return new NarScanError('NAR_TRAILING', 'bytes follow the end of the NAR', { offset });
}
