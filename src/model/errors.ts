/**
 * Every error that a user can meet, in one table: what went wrong, and what to do about it.
 * `test/model/errors.test.ts` keeps the table in step with the README.
 */
export const ERRORS = {
  // usage (command line and environment)
  USAGE_UNKNOWN_OPTION: 'see nar-scan --help',
  // targets and sources
  TARGET_MISSING: 'check the path',
  // NAR and export streams
  NAR_BAD_MAGIC: 'is this a NAR? nix-store --dump PATH writes one',
  // compressed streams
  COMPRESSION_TRUNCATED: 'the stream ends early; fetch or write it again',
  COMPRESSION_CORRUPT: 'the stream is damaged; fetch or write it again',
  COMPRESSION_TRAILING: 'bytes follow the end of the stream; write it again without them',
  COMPRESSION_MEMORY: 'compress it with a smaller dictionary or window',
  COMPRESSION_UNSUPPORTED: 'compress it with the standard tool of its format',
  // workers and output
  WORKER_DIED: 'scan again; if it happens again report it with the target',
  // kernel
  KERNEL_NEEDLE_COUNT: 'this is a fault of the program; report it with the command line',
  KERNEL_NEEDLE_LENGTH: 'give a home of 3 to 512 bytes',
  KERNEL_RANGE: 'this is a fault of the program; report it with the target',
  KERNEL_UNAVAILABLE: 'the engine that was asked for cannot run on this machine; do not force one',
} as const;

export type ErrorCode = keyof typeof ERRORS;

/**
 * An error with a code of the table. The message is one line: what and where.
 * `offset` is the byte offset in the stream at which the fault was seen, if there is one.
 */
export class NarScanError extends Error {
  override readonly name = 'NarScanError';
  readonly code: ErrorCode;
  readonly offset: number | null;

  constructor(code: ErrorCode, message: string, options: { offset?: number; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.offset = options.offset ?? null;
  }

  get hint(): string {
    return ERRORS[this.code];
  }
}
