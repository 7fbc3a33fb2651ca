import { closeSync, fdatasyncSync, openSync, realpathSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { NarScanError } from '../model/errors.ts';
import { DescriptorWriter } from './descriptorWriter.ts';

/** Where the text of a report goes. */
export interface ReportSink {
  /** Resolves when the text is written or cannot be; faults show in {@link finish}. */
  write(text: string): Promise<void>;
  /**
   * Waits until everything is written and puts the report in its place.
   * @throws NarScanError REPORT_NOT_WRITTEN, after which nothing half-written is left
   */
  finish(): Promise<void>;
  /** Removes what is half-written, at once. */
  abandon(): void;
}

const STDOUT = 1;

/**
 * Opens the place a report goes to. A regular file is written aside, in the same directory, and
 * renamed when it is whole; devices and pipes are written as they are.
 * @param path a file, or null for stdout
 * @param onFault called at the first write fault: nothing more can be delivered
 * @throws NarScanError REPORT_NOT_WRITTEN where it cannot be opened
 */
export function openReportSink(path: string | null, onFault: (error: NarScanError) => void): ReportSink {
  if (path === null) return new Sink('stdout', STDOUT, null, onFault);
  try {
    const status = statSync(path, { throwIfNoEntry: false });
    if (status !== undefined && !status.isFile()) {
      return new Sink(path, openSync(path, 'w'), null, onFault);
    }
    const place = status === undefined ? path : realpathSync(path);
    // loaded here, because most runs write to stdout and start-up is watched
    const { randomBytes } = process.getBuiltinModule('node:crypto');
    const aside = join(dirname(place), `.nar-scan-${randomBytes(8).toString('hex')}.tmp`);
    return new Sink(path, openSync(aside, 'wx'), { aside, place }, onFault);
  } catch (error) {
    throw notWritten(path, error);
  }
}

class Sink implements ReportSink {
  readonly #name: string;
  readonly #descriptor: number;
  readonly #move: { readonly aside: string; readonly place: string } | null;
  readonly #writer: DescriptorWriter;
  #fault: NarScanError | null = null;

  constructor(
    name: string,
    descriptor: number,
    move: { readonly aside: string; readonly place: string } | null,
    onFault: (error: NarScanError) => void,
  ) {
    this.#name = name;
    this.#descriptor = descriptor;
    this.#move = move;
    this.#writer = new DescriptorWriter(descriptor, (error) => {
      this.#fault = notWritten(name, error);
      onFault(this.#fault);
    });
  }

  write(text: string): Promise<void> {
    return this.#writer.write(text);
  }

  async finish(): Promise<void> {
    await this.#writer.write('');
    try {
      if (this.#fault !== null) throw this.#fault;
      if (this.#move !== null) fdatasyncSync(this.#descriptor);
      if (this.#descriptor !== STDOUT) closeSync(this.#descriptor);
      if (this.#move !== null) renameSync(this.#move.aside, this.#move.place);
    } catch (error) {
      this.abandon();
      throw notWritten(this.#name, error);
    }
  }

  abandon(): void {
    if (this.#move !== null) rmSync(this.#move.aside, { force: true });
  }
}

function notWritten(name: string, error: unknown): NarScanError {
  if (error instanceof NarScanError) return error;
  const cause = error instanceof Error ? error.message : String(error);
  return new NarScanError('REPORT_NOT_WRITTEN', `the report cannot be written to ${name}: ${cause}`, {
    cause: error,
  });
}
