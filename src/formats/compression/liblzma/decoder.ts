import { instantiateLiblzma } from './library.ts';
import type { Liblzma } from './library.ts';

/** lzma_ret of liblzma's base.h, as far as decoders return them. */
export const LZMA = {
  OK: 0,
  STREAM_END: 1,
  UNSUPPORTED_CHECK: 3,
  MEM_ERROR: 5,
  MEMLIMIT_ERROR: 6,
  FORMAT_ERROR: 7,
  OPTIONS_ERROR: 8,
  DATA_ERROR: 9,
  BUF_ERROR: 10,
} as const;

const TELL_UNSUPPORTED_CHECK = 0x02;
const RUN = 0;

// Fields of lzma_stream on wasm32.
const NEXT_IN = 0;
const AVAIL_IN = 4;
const NEXT_OUT = 16;
const AVAIL_OUT = 20;
const STREAM_BYTES = 88;

/** Bytes that can be loaded at once. */
export const IN_BYTES = 64 * 1024;
const OUT_BYTES = 256 * 1024;

/** An instance whose memory grew beyond this is given up rather than kept for the next stream. */
const KEPT_BYTES = 32 * 1024 * 1024;

interface Machine {
  readonly library: Liblzma;
  readonly stream: number;
  readonly input: number;
  readonly output: number;
}

let idle: Machine | null = null;

function takeMachine(): Machine {
  const kept = idle;
  idle = null;
  if (kept !== null) return kept;
  const library = instantiateLiblzma();
  const stream = library.malloc(STREAM_BYTES);
  const input = library.malloc(IN_BYTES);
  const output = library.malloc(OUT_BYTES);
  if (stream === 0 || input === 0 || output === 0) throw new Error('liblzma: no memory at start');
  new Uint8Array(library.memory.buffer).fill(0, stream, stream + STREAM_BYTES); // LZMA_STREAM_INIT
  return { library, stream, input, output };
}

/** liblzma's decoder for xz, lzip and lzma-alone, one stream or member at a time, synchronous. */
export class LzmaDecoder {
  readonly #machine: Machine = takeMachine();
  readonly #memoryBytes: bigint;
  #view: DataView;
  #loaded = 0;

  constructor(memoryBytes: number) {
    this.#memoryBytes = BigInt(memoryBytes);
    this.#view = new DataView(this.#machine.library.memory.buffer);
  }

  /** Starts at the first byte of a stream. Output that was not taken stays. */
  begin(): number {
    const { library, stream } = this.#machine;
    const status = library.autoDecoder(stream, this.#memoryBytes, TELL_UNSUPPORTED_CHECK);
    this.#refresh();
    this.#setWord(NEXT_OUT, this.#machine.output);
    this.#setWord(AVAIL_OUT, OUT_BYTES);
    this.#setWord(AVAIL_IN, 0);
    this.#loaded = 0;
    return status;
  }

  /** Copies in the next input, at most {@link IN_BYTES}; all that was loaded before is used up. */
  load(bytes: Uint8Array): void {
    const { library, input } = this.#machine;
    this.#loaded = bytes.length;
    new Uint8Array(library.memory.buffer, input, IN_BYTES).set(bytes);
    this.#setWord(NEXT_IN, input);
    this.#setWord(AVAIL_IN, this.#loaded);
  }

  /** Decodes until the input is used up or the output is full. Returns a value of {@link LZMA}. */
  run(): number {
    const status = this.#machine.library.code(this.#machine.stream, RUN);
    this.#refresh();
    return status;
  }

  /** Bytes of the last load that were used. */
  get consumed(): number {
    return this.#loaded - this.#word(AVAIL_IN);
  }

  get inputUsed(): boolean {
    return this.#word(AVAIL_IN) === 0;
  }

  get outputFull(): boolean {
    return this.#word(AVAIL_OUT) === 0;
  }

  /** The bytes decoded since the last call, if there are any; valid until the next {@link run}. */
  *takeOutput(): Generator<Uint8Array, void, undefined> {
    const { library, output } = this.#machine;
    const count = OUT_BYTES - this.#word(AVAIL_OUT);
    if (count === 0) return;
    this.#setWord(NEXT_OUT, output);
    this.#setWord(AVAIL_OUT, OUT_BYTES);
    yield new Uint8Array(library.memory.buffer, output, count);
  }

  close(): void {
    const { library, stream } = this.#machine;
    library.end(stream);
    if (library.memory.buffer.byteLength <= KEPT_BYTES) idle = this.#machine;
  }

  /** Growing the memory detaches its old buffer. */
  #refresh(): void {
    const { buffer } = this.#machine.library.memory;
    if (this.#view.buffer !== buffer) this.#view = new DataView(buffer);
  }

  #word(field: number): number {
    return this.#view.getUint32(this.#machine.stream + field, true);
  }

  #setWord(field: number, value: number): void {
    this.#view.setUint32(this.#machine.stream + field, value, true);
  }
}
