import type { ByteString } from '../../model/bytes.ts';
import { NarScanError } from '../../model/errors.ts';
import type { ErrorCode } from '../../model/errors.ts';
import { LIMITS } from '../../model/limits.ts';
import type { NarHandler } from './handler.ts';
import { Lifetime } from './lifetime.ts';
import { NarParser } from './parser.ts';
import { firstNonZero, memoryOf, padded, readUint64 } from './tokens.ts';

/** What an export stream says about a NAR, after the NAR. Only the form of the paths is checked. */
export interface ExportTrailer {
  readonly storePath: ByteString;
  readonly references: readonly ByteString[];
  readonly deriver: ByteString | null;
}

export interface ExportHandler extends NarHandler {
  /** A NAR begins at this offset of the stream; its entries follow. */
  narBegin(offset: number): void;
  /** Bytes of that NAR, for hashing: [start, end) of the chunk, after their entries were given. */
  narBytes(chunk: Uint8Array, start: number, end: number): void;
  /** The NAR is complete, and this is whose it is. */
  trailer(trailer: ExportTrailer): void;
}

type State =
  | 'more'
  | 'nar'
  | 'magic'
  | 'storePath'
  | 'referenceCount'
  | 'reference'
  | 'deriver'
  | 'signed'
  | 'signature'
  | 'done';

/** `NIXE` as a 64-bit number: stands between a NAR and its trailer. */
const TRAILER_MAGIC = 0x4558494e;

const STRING_BYTES: { readonly [state in State]?: number } = {
  storePath: LIMITS.exportPathBytes,
  reference: LIMITS.exportPathBytes,
  deriver: LIMITS.exportPathBytes,
  signature: LIMITS.exportSignatureBytes,
};

/**
 * A push parser for `nix-store --export` (Nix: src/libstore/export-import.cc): for each path a 1, its
 * NAR, NIXE, the store path, its references, its deriver or an empty string, and a 0; then a 0.
 * In place of the inner 0, Nix before 2.0 wrote a 1 and a signature; it is skipped here as Nix skips
 * it. Other numbers there, which Nix takes for 0, are refused, as are bytes after the last 0.
 *
 * Works as {@link NarParser} does: independent of chunks, unusable after its first error, bounded.
 */
export class ExportParser {
  readonly #handler: ExportHandler;
  readonly #lifetime = new Lifetime('ExportParser');
  #state: State = 'more';
  #nar: NarParser | null = null;
  /** Where the field to come lies in the stream; in a NAR, where that NAR begins. */
  #offset = 0;
  readonly #held = memoryOf(
    new Uint8Array(8 + padded(Math.max(LIMITS.exportPathBytes, LIMITS.exportSignatureBytes))),
  );
  #heldLength = 0;

  #storePath: ByteString = '';
  #references: ByteString[] = [];
  #referencesLeft = 0;
  #referenceBytes = 0;

  constructor(handler: ExportHandler) {
    this.#handler = handler;
  }

  /** Whether the 0 that ends the stream was read. */
  get done(): boolean {
    return this.#state === 'done';
  }

  /** Offset in the stream of the first byte not taken yet. */
  get offset(): number {
    return this.#nar === null ? this.#offset + this.#heldLength : this.#nar.offset;
  }

  /** Where in the tree of the present NAR the parser stands; '' between NARs. */
  get path(): ByteString {
    return this.#nar === null ? '' : this.#nar.path;
  }

  /**
   * Parses chunk[start, end), all of it.
   * @throws NarScanError with an EXPORT_ or NAR_ code; offsets are those of the stream
   */
  push(chunk: Uint8Array, start: number, end: number): void {
    this.#lifetime.checkPush(chunk, start, end);
    try {
      for (let at = start; at < end;) {
        at += this.#nar === null ? this.#takeField(chunk, at, end) : this.#takeNar(this.#nar, chunk, at, end);
      }
    } catch (error) {
      this.#lifetime.fail(error);
    }
  }

  /**
   * Says that the input ends here.
   * @throws NarScanError EXPORT_TRUNCATED, or NAR_TRUNCATED in a NAR
   */
  end(): void {
    this.#lifetime.end();
    if (this.#nar !== null) this.#nar.end();
    if (!this.done) {
      throw new NarScanError('EXPORT_TRUNCATED', 'the export stream ends early', { offset: this.offset });
    }
  }

  #fail(code: ErrorCode, message: string, offset: number = this.#offset): never {
    throw new NarScanError(code, message, { offset });
  }

  #takeNar(nar: NarParser, chunk: Uint8Array, at: number, end: number): number {
    const count = nar.push(chunk, at, end);
    this.#handler.narBytes(chunk, at, at + count);
    if (nar.done) {
      this.#offset = nar.offset;
      this.#nar = null;
      this.#state = 'magic';
    }
    return count;
  }

  /** Adds to the held field, and consumes it once it is whole. */
  #takeField(chunk: Uint8Array, at: number, end: number): number {
    if (this.#state === 'done') this.#fail('EXPORT_TRAILING', 'bytes follow the end of the export stream');
    const count = Math.min(this.#fieldSize() - this.#heldLength, end - at);
    this.#held.bytes.set(chunk.subarray(at, at + count), this.#heldLength);
    this.#heldLength += count;
    // Again: the size of a string is known only since its length is whole.
    if (this.#fieldSize() === this.#heldLength) {
      const size = this.#heldLength;
      const maximum = STRING_BYTES[this.#state];
      if (maximum === undefined) this.#number(readUint64(this.#held, 0));
      else this.#string(this.#text(size));
      this.#heldLength = 0;
      this.#offset += size;
      if (this.#state === 'nar') this.#beginNar();
    }
    return count;
  }

  #fieldSize(): number {
    const maximum = STRING_BYTES[this.#state];
    if (maximum === undefined || this.#heldLength < 8) return 8;
    const length = readUint64(this.#held, 0);
    if (length === -1 || length > maximum) {
      this.#fail('EXPORT_LENGTH', `a ${this.#state} is longer than ${maximum} bytes`);
    }
    return 8 + padded(length);
  }

  #text(size: number): ByteString {
    const end = 8 + this.#held.view.getUint32(0, true);
    const bad = firstNonZero(this.#held.bytes, end, size);
    if (bad !== -1) this.#fail('EXPORT_PADDING', 'padding is not zero', this.#offset + bad);
    return this.#held.bytes.toString('latin1', 8, end);
  }

  #number(value: number): void {
    const state = this.#state;
    if (state === 'referenceCount') {
      if (value > LIMITS.exportReferences || value < 0) {
        this.#fail('EXPORT_LENGTH', `a path has more than ${LIMITS.exportReferences} references`);
      }
      this.#references = [];
      this.#referenceBytes = 0;
      this.#referencesLeft = value;
      this.#state = value === 0 ? 'deriver' : 'reference';
    } else if (state === 'magic') {
      if (value !== TRAILER_MAGIC) this.#fail('EXPORT_BAD_MAGIC', 'expected NIXE after the NAR');
      this.#state = 'storePath';
    } else if (state === 'more') {
      if (value !== 0 && value !== 1) {
        this.#fail('EXPORT_BAD_MAGIC', 'expected 1 and a NAR, or 0 and the end');
      }
      this.#state = value === 1 ? 'nar' : 'done';
    } else {
      if (value !== 0 && value !== 1) this.#fail('EXPORT_BAD_MAGIC', 'expected 0, or 1 and a signature');
      this.#state = value === 1 ? 'signature' : 'more';
    }
  }

  #string(value: ByteString): void {
    const state = this.#state;
    if (state === 'storePath') {
      this.#storePath = this.#checkedPath(value);
      this.#state = 'referenceCount';
    } else if (state === 'reference') {
      this.#addReference(this.#checkedPath(value));
      if (this.#referencesLeft === 0) this.#state = 'deriver';
    } else if (state === 'deriver') {
      const deriver = value === '' ? null : this.#checkedPath(value);
      this.#state = 'signed';
      this.#handler.trailer({ storePath: this.#storePath, references: this.#references, deriver });
    } else {
      // A signature: no client checks it any more.
      this.#state = 'more';
    }
  }

  #addReference(path: ByteString): void {
    this.#referenceBytes += path.length;
    if (this.#referenceBytes > LIMITS.exportReferenceBytes) {
      this.#fail('EXPORT_LENGTH', `references have more than ${LIMITS.exportReferenceBytes} bytes`);
    }
    this.#references.push(path);
    this.#referencesLeft -= 1;
  }

  #checkedPath(path: ByteString): ByteString {
    if (!path.startsWith('/') || path.includes('\0')) {
      this.#fail('EXPORT_BAD_PATH', `a ${this.#state} is not an absolute path`, this.#offset + 8);
    }
    return path;
  }

  #beginNar(): void {
    this.#nar = new NarParser(this.#handler, { initialOffset: this.#offset });
    this.#handler.narBegin(this.#offset);
  }
}
