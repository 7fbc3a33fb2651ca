import { randomBytes } from 'node:crypto';
import { lstatSync } from 'node:fs';
import { type FileHandle, open, readdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { makeDirectories } from '../../ledger/durable.ts';
import { unsafeAt } from '../../ledger/ownership.ts';
import { NarScanError } from '../../model/errors.ts';
import type { Spooled } from '../contracts.ts';
import type { Body } from '../uploads.ts';
import { expectBody } from './arrival.ts';
import type { FileHasher } from './fileHasher.ts';
import type { Growth } from './growth.ts';
import { Reception } from './reception.ts';
import { writeFault } from './writeFault.ts';

const PRIVATE_DIRECTORY = 0o700;
const PRIVATE_FILE = 0o600;
const NAME_BYTES = 16;

export interface ReceiveOptions {
  /** Bytes that are taken at most. */
  readonly most: number;
  /** Told of every write, and of the end. */
  readonly growth: Growth;
  /** Told of every piece that is written; left out: nobody asks for the hash. */
  readonly hasher?: FileHasher;
}

/** A body that is being received. */
export interface Receiving {
  /** Its file, which may be read as far as the growth says. It is gone once `whole` has rejected. */
  readonly file: string;
  /**
   * Its end. A rejection that nobody waits for yet is no fault.
   * @throws NarScanError UPLOAD_TRUNCATED, UPLOAD_LENGTH, UPLOAD_TOO_LARGE, UPLOAD_SLOW, UPLOAD_NO_ROOM, STATE_NOT_WRITTEN
   */
  readonly whole: Promise<Spooled>;
}

/** Where bodies lie while they are received and judged: files of random names, for this user alone. */
export class SpoolDirectory {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  /**
   * The directory; it is made where it is not there yet.
   * @throws NarScanError STATE_UNSAFE, STATE_NOT_WRITTEN
   */
  static open(path: string): SpoolDirectory {
    try {
      makeDirectories(path, PRIVATE_DIRECTORY);
      const unsafe = unsafeAt(path, lstatSync(path));
      if (unsafe !== null) throw new NarScanError('STATE_UNSAFE', `'${unsafe.path}': ${unsafe.why}`);
    } catch (error) {
      throw error instanceof NarScanError ? error : notWritten(path, error);
    }
    return new SpoolDirectory(path);
  }

  /** Deletes what nobody wants: to be called at the start, when nothing is being received. @throws NarScanError STATE_NOT_WRITTEN */
  async sweep(wanted: ReadonlySet<string>): Promise<void> {
    try {
      const files = (await readdir(this.path)).map((name) => join(this.path, name));
      for (const file of files) if (!wanted.has(file)) await unlink(file);
    } catch (error) {
      throw notWritten(this.path, error);
    }
  }

  /** A path in it at which nothing lies. */
  fresh(): string {
    return join(this.path, randomBytes(NAME_BYTES).toString('hex'));
  }

  /**
   * Takes a body from its stream to a file. The stream is neither destroyed nor drained where that fails, so that
   * whoever speaks to the client can answer first.
   *
   * @throws NarScanError UPLOAD_ENCODING, UPLOAD_TOO_LARGE, UPLOAD_NO_ROOM, STATE_NOT_WRITTEN where it cannot even begin
   */
  async receive(body: Body, { most, growth, hasher }: ReceiveOptions): Promise<Receiving> {
    const file = this.fresh();
    let handle: FileHandle;
    try {
      expectBody(body, most);
      refuseEncoded(body);
      handle = await openNew(file);
    } catch (error) {
      growth.end('failed');
      throw error;
    }
    const whole = new Reception(body, handle, { file, most, growth, hasher: hasher ?? null }).whole;
    // the inspection of what has come may end first
    whole.catch(() => undefined);
    return { file, whole };
  }
}

function refuseEncoded({ encoding }: Body): void {
  if (encoding !== null && encoding.toLowerCase() !== 'identity')
    throw new NarScanError('UPLOAD_ENCODING', 'a NAR is taken as it is, without a Content-Encoding');
}

async function openNew(file: string): Promise<FileHandle> {
  try {
    return await open(file, 'wx', PRIVATE_FILE);
  } catch (error) {
    throw writeFault(error);
  }
}

function notWritten(path: string, cause: unknown): NarScanError {
  const { code } = cause as NodeJS.ErrnoException;
  return new NarScanError('STATE_NOT_WRITTEN', `'${path}': ${code ?? 'no reason given'}`, { cause });
}
