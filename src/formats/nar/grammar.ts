import type { ByteString } from '../../model/bytes.ts';
import { NarScanError } from '../../model/errors.ts';
import type { ErrorCode } from '../../model/errors.ts';
import { LIMITS } from '../../model/limits.ts';
import type { NarHandler } from './handler.ts';
import { RUNS } from './runs.ts';
import { firstNonZero, fixedTokens, holds, padded, readUint64, tokens } from './tokens.ts';
import type { FixedTokens, Memory } from './tokens.ts';

/** What comes next in a NAR: one string token, but for the last five. */
export const STATE = Object.freeze({
  magic: 0,
  nodeOpen: 1,
  typeTag: 2,
  kind: 3,
  fileField: 4,
  executableValue: 5,
  contentsTag: 6,
  nodeClose: 7,
  targetTag: 8,
  target: 9,
  entryOrClose: 10,
  entryOpen: 11,
  nameTag: 12,
  name: 13,
  nodeTag: 14,
  entryClose: 15,
  contentsSize: 16,
  contentsBody: 17,
  contentsPadding: 18,
  done: 19,
} as const);
/** One of {@link STATE}. */
type State = number;

/** The one token a state allows, what to call it, and what follows. Other states have a choice. */
const FIXED: readonly (readonly [token: FixedTokens, next: State] | null)[] = (() => {
  const table: (readonly [FixedTokens, State] | null)[] = Array.from({ length: 20 }, () => null);
  table[STATE.nodeOpen] = [fixedTokens('('), STATE.typeTag];
  table[STATE.typeTag] = [fixedTokens('type'), STATE.kind];
  table[STATE.contentsTag] = [fixedTokens('contents'), STATE.contentsSize];
  table[STATE.targetTag] = [fixedTokens('target'), STATE.target];
  table[STATE.entryOpen] = [fixedTokens('('), STATE.nameTag];
  table[STATE.nameTag] = [fixedTokens('name'), STATE.name];
  table[STATE.nodeTag] = [fixedTokens('node'), STATE.nodeOpen];
  return table;
})();

/** First token of every NAR. */
export const MAGIC = tokens(...RUNS.magic);
const CLOSE = fixedTokens(')');
const REGULAR = fixedTokens('regular');
const DIRECTORY = fixedTokens('directory');
const SYMLINK = fixedTokens('symlink');
const EXECUTABLE = fixedTokens('executable');
const CONTENTS = fixedTokens('contents');
const ENTRY = fixedTokens('entry');

// Runs of tokens without a choice in them. Where a chunk holds a whole run it is taken at once;
// anything else goes token by token, which alone decides what is wrong.
const ENTRY_HEAD = fixedTokens(...RUNS.entryHead);
const NODE_HEAD = fixedTokens(...RUNS.nodeHead);
const PLAIN_FILE = fixedTokens(...RUNS.plainFile);
const EXECUTABLE_FILE = fixedTokens(...RUNS.executableFile);
const LINK_HEAD = fixedTokens(...RUNS.link);
const ENTRY_TAIL = fixedTokens(...RUNS.entryTail);

/** Longest string a field may be, and the error if it is longer. All other states read a tag. */
interface BoundedField {
  readonly bytes: number;
  readonly code: ErrorCode;
  readonly what: string;
}
const TAG_FIELD: BoundedField = { bytes: LIMITS.narTagBytes, code: 'NAR_TAG', what: 'a tag' };
const BOUNDED: readonly (BoundedField | null)[] = (() => {
  const table: (BoundedField | null)[] = Array.from({ length: 20 }, () => null);
  table[STATE.name] = { bytes: LIMITS.narNameBytes, code: 'NAR_BAD_NAME', what: 'an entry name' };
  table[STATE.target] = { bytes: LIMITS.narTargetBytes, code: 'NAR_BAD_TARGET', what: 'a symlink target' };
  table[STATE.executableValue] = { bytes: 0, code: 'NAR_TAG', what: 'the value of the executable marker' };
  return table;
})();

const SLASH = 0x2f;

function fail(code: ErrorCode, message: string, offset: number): never {
  throw new NarScanError(code, message, { offset });
}

/**
 * The grammar of NAR as a state machine over whole tokens. It knows nothing of chunks: who drives
 * it asks how large the next token is, and gives it when it has all of it. `offset` is always the
 * token's place in the stream.
 */
export class NarGrammar {
  state: State = STATE.magic;
  /** The last entry that began and has not ended. */
  path: ByteString = '';
  /** Size of the file whose contents come next. */
  fileSize = 0;

  readonly #handler: NarHandler;
  /** Open directories from the root down: paths, and the last entry name seen in each. */
  readonly #directories: ByteString[] = [];
  readonly #lastNames: ByteString[] = [];
  #executable = false;

  constructor(handler: NarHandler) {
    this.#handler = handler;
  }

  /**
   * The size of the token at `at`, of which `room` bytes are there; 8 until its length is known.
   * Refuses a length that its field cannot have, before anything of it is kept.
   */
  tokenSize(memory: Memory, at: number, room: number, offset: number): number {
    if (this.state === STATE.magic) {
      const count = Math.min(room, MAGIC.length);
      if (MAGIC.compare(memory.bytes, at, at + count, 0, count) !== 0) {
        fail('NAR_BAD_MAGIC', 'not a NAR: it does not begin with nix-archive-1', offset);
      }
      return MAGIC.length;
    }
    if (room < 8 || this.state === STATE.contentsSize) return 8;
    const length = readUint64(memory, at);
    if (length === -1) fail('NAR_LENGTH', 'a length is 2^53 or more', offset);
    const field = BOUNDED[this.state] ?? TAG_FIELD;
    if (length > field.bytes) fail(field.code, `${field.what} has ${length} bytes`, offset);
    return 8 + padded(length);
  }

  /** Consumes the whole token at `at`; `size` is what tokenSize said. */
  consume(memory: Memory, at: number, size: number, offset: number): void {
    const fixed = FIXED[this.state];
    if (fixed) {
      const [token, next] = fixed;
      if (!holds(memory, at, token)) this.#refuse(memory, at, size, offset, token.text);
      this.state = next;
      if (next === STATE.nodeOpen && this.#directories.length >= LIMITS.narDepth) {
        fail('NAR_DEPTH', `directories nest deeper than ${LIMITS.narDepth}`, offset + size);
      }
      return;
    }
    switch (this.state) {
      case STATE.magic:
        this.state = STATE.nodeOpen;
        return;
      case STATE.kind:
        return this.#kind(memory, at, size, offset);
      case STATE.fileField:
        return this.#fileField(memory, at, size, offset);
      case STATE.executableValue:
        this.state = STATE.contentsTag;
        return;
      case STATE.contentsSize:
        return this.#contentsSize(memory, at, offset);
      case STATE.nodeClose:
        if (!holds(memory, at, CLOSE)) this.#refuse(memory, at, size, offset, CLOSE.text);
        return this.#nodeEnd();
      case STATE.target:
        return this.#target(memory, at, size, offset);
      case STATE.entryOrClose:
        return this.#entryOrClose(memory, at, size, offset);
      case STATE.name:
        return this.#name(memory, at, size, offset);
      case STATE.entryClose:
        if (!holds(memory, at, CLOSE)) this.#refuse(memory, at, size, offset, CLOSE.text);
        return this.#entryEnd();
      default:
        throw new Error(`no token is read in state ${this.state}`);
    }
  }

  /** Takes a run of fixed tokens if bytes[at, at + room) begins with one; returns its size, else 0. */
  consumeRun(memory: Memory, at: number, room: number): number {
    switch (this.state) {
      case STATE.entryOrClose:
        return this.#run(memory, at, room, ENTRY_HEAD, STATE.name);
      case STATE.nodeTag:
        // At the limit the slow way reports the depth.
        return this.#directories.length < LIMITS.narDepth
          ? this.#run(memory, at, room, NODE_HEAD, STATE.kind)
          : 0;
      case STATE.kind: {
        this.#executable = false;
        const plain = this.#run(memory, at, room, PLAIN_FILE, STATE.contentsSize);
        if (plain > 0) return plain;
        const link = this.#run(memory, at, room, LINK_HEAD, STATE.target);
        if (link > 0) return link;
        const executable = this.#run(memory, at, room, EXECUTABLE_FILE, STATE.contentsSize);
        this.#executable = executable > 0;
        return executable;
      }
      case STATE.nodeClose: {
        if (this.#directories.length === 0) return 0;
        const tail = this.#run(memory, at, room, ENTRY_TAIL, STATE.entryOrClose);
        if (tail > 0) this.#entryEnd();
        return tail;
      }
      default:
        return 0;
    }
  }

  #run(memory: Memory, at: number, room: number, run: FixedTokens, next: State): number {
    if (room < run.byteLength || !holds(memory, at, run)) return 0;
    this.state = next;
    return run.byteLength;
  }

  #kind(memory: Memory, at: number, size: number, offset: number): void {
    if (holds(memory, at, REGULAR)) {
      this.state = STATE.fileField;
    } else if (holds(memory, at, DIRECTORY)) {
      this.state = STATE.entryOrClose;
      this.#directories.push(this.path);
      this.#lastNames.push('');
      this.#handler.directory(this.path);
    } else if (holds(memory, at, SYMLINK)) {
      this.state = STATE.targetTag;
    } else {
      this.#refuse(memory, at, size, offset, 'regular, directory or symlink');
    }
  }

  #fileField(memory: Memory, at: number, size: number, offset: number): void {
    this.#executable = holds(memory, at, EXECUTABLE);
    if (this.#executable) {
      this.state = STATE.executableValue;
      return;
    }
    if (!holds(memory, at, CONTENTS)) this.#refuse(memory, at, size, offset, 'executable or contents');
    this.state = STATE.contentsSize;
  }

  #contentsSize(memory: Memory, at: number, offset: number): void {
    const size = readUint64(memory, at);
    // 16: the size field, and what pads the contents; every later offset stays exact.
    if (size === -1 || size > Number.MAX_SAFE_INTEGER - offset - 16) {
      fail('NAR_LENGTH', 'a file size is 2^53 or more', offset);
    }
    this.fileSize = size;
    this.state = size === 0 ? STATE.nodeClose : STATE.contentsBody;
    this.#handler.file(this.path, this.#executable, size, offset + 8);
    if (size === 0) this.#handler.fileEnd();
  }

  #target(memory: Memory, at: number, size: number, offset: number): void {
    const end = this.#textEnd(memory, at, size, offset);
    const start = at + 8;
    if (start === end) fail('NAR_BAD_TARGET', 'a symlink target is empty', offset + 8);
    const target = memory.bytes.toString('latin1', start, end);
    if (target.includes('\0')) fail('NAR_BAD_TARGET', 'a symlink target holds a NUL byte', offset + 8);
    this.state = STATE.nodeClose;
    this.#handler.symlink(this.path, target);
  }

  #entryOrClose(memory: Memory, at: number, size: number, offset: number): void {
    if (holds(memory, at, CLOSE)) {
      this.path = this.#directories.pop() ?? '';
      this.#lastNames.pop();
      this.#nodeEnd();
      return;
    }
    if (!holds(memory, at, ENTRY)) this.#refuse(memory, at, size, offset, 'entry or ")"');
    this.state = STATE.entryOpen;
  }

  #name(memory: Memory, at: number, size: number, offset: number): void {
    const end = this.#textEnd(memory, at, size, offset);
    const start = at + 8;
    if (start === end) fail('NAR_BAD_NAME', 'an entry name is empty', offset + 8);
    for (let index = start; index < end; index++) {
      const byte = memory.bytes[index];
      if (byte === SLASH || byte === 0) {
        fail('NAR_BAD_NAME', `an entry name holds a ${byte === 0 ? 'NUL byte' : 'slash'}`, offset + 8);
      }
    }
    const name: ByteString = memory.bytes.toString('latin1', start, end);
    if (name === '.' || name === '..') fail('NAR_BAD_NAME', `an entry is named "${name}"`, offset + 8);
    const top = this.#directories.length - 1;
    const last = this.#lastNames[top] ?? '';
    if (name <= last) {
      if (name === last) fail('NAR_DUPLICATE_NAME', 'two entries of a directory have one name', offset + 8);
      fail('NAR_UNSORTED', 'the entries of a directory are not sorted', offset + 8);
    }
    this.#lastNames[top] = name;
    const directory = this.#directories[top] ?? '';
    this.path = directory === '' ? name : `${directory}/${name}`;
    this.state = STATE.nodeTag;
  }

  #nodeEnd(): void {
    this.state = this.#directories.length === 0 ? STATE.done : STATE.entryClose;
  }

  #entryEnd(): void {
    this.path = this.#directories.at(-1) ?? '';
    this.state = STATE.entryOrClose;
  }

  /** Where the text of a string token ends. */
  #textEnd(memory: Memory, at: number, size: number, offset: number): number {
    const end = at + 8 + memory.view.getUint32(at, true);
    const bad = firstNonZero(memory.bytes, end, at + size);
    if (bad !== -1) fail('NAR_PADDING', 'padding is not zero', offset + bad - at);
    return end;
  }

  #refuse(memory: Memory, at: number, size: number, offset: number, expected: string): never {
    this.#textEnd(memory, at, size, offset);
    fail('NAR_TAG', `expected ${expected}, got ${quotedTag(memory, at)}`, offset);
  }
}

/** The text of the tag at `at` for an error message. */
function quotedTag(memory: Memory, at: number): string {
  const text = memory.bytes.toString('latin1', at + 8, at + 8 + memory.view.getUint32(at, true));
  return JSON.stringify(text.replaceAll(/[^ -~]/g, '?'));
}
