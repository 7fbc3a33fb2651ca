import { createHash } from 'node:crypto';
import { type FileHandle, unlink } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { NarScanError } from '../../model/errors.ts';
import { LIMITS } from '../../model/limits.ts';
import { narHashText } from '../../nix/narHash.ts';
import type { Spooled } from '../contracts.ts';
import type { Body } from '../uploads.ts';
import type { Growth } from './growth.ts';
import { Pace } from './pace.ts';
import { writeFault } from './writeFault.ts';

/** More pieces than this are written before they fill a write: each has a cost beside its bytes. */
const PIECES = 256;

interface Destination {
  readonly file: string;
  readonly most: number;
  readonly growth: Growth;
}

/**
 * One body on its way to its file. What comes while a write is under way is gathered for the next one, and when that
 * is full the stream is paused: a client can be no faster than the disk, and holds no more memory than two writes.
 */
export class Reception {
  readonly whole: Promise<Spooled>;
  readonly #stream: Readable;
  readonly #length: number | null;
  readonly #handle: FileHandle;
  readonly #to: Destination;
  readonly #hash = createHash('sha256');
  readonly #pace = new Pace();
  readonly #timer: NodeJS.Timeout;
  readonly #settled = Promise.withResolvers<Spooled>();
  #pieces: Uint8Array[] = [];
  #waiting = 0;
  #received = 0;
  #written = 0;
  #isWriting = false;
  #hasEnded = false;
  #isOver = false;
  #fault: NarScanError | null = null;

  constructor({ stream, length }: Body, handle: FileHandle, to: Destination) {
    this.#stream = stream;
    this.#length = length;
    this.#handle = handle;
    this.#to = to;
    this.whole = this.#settled.promise;
    this.#timer = setInterval(() => this.#window(), LIMITS.uploadWindowMilliseconds);
    this.#timer.unref();
    // a client that was gone before anybody listened says so no more
    if (stream.destroyed || stream.readableEnded) this.#broken();
    else this.#listen();
  }

  #listen(): void {
    const stream = this.#stream;
    stream.on('end', this.#end);
    stream.on('error', this.#broken);
    stream.on('close', this.#broken);
    stream.on('data', this.#take);
  }

  readonly #take = (piece: Uint8Array): void => {
    this.#received += piece.length;
    this.#pace.arrived(piece.length);
    const { most } = this.#to;
    if (this.#received > most)
      return this.#fail(new NarScanError('UPLOAD_TOO_LARGE', `there are more than ${most} bytes`));
    if (this.#length !== null && this.#received > this.#length)
      return this.#fail(
        new NarScanError('UPLOAD_LENGTH', `there are more than the ${this.#length} bytes told`),
      );
    this.#hash.update(piece);
    this.#pieces.push(piece);
    this.#waiting += piece.length;
    if (!this.#isWriting) void this.#write();
    else if (this.#waiting >= LIMITS.uploadWriteBytes || this.#pieces.length >= PIECES) {
      this.#pace.excuse();
      this.#stream.pause();
    }
  };

  readonly #end = (): void => {
    if (this.#length !== null && this.#received < this.#length) return this.#broken();
    this.#hasEnded = true;
    if (!this.#isWriting) void this.#write();
  };

  readonly #broken = (): void => {
    // a stream is closed behind its end, too
    if (this.#hasEnded) return;
    const of = this.#length === null ? '' : ` of ${this.#length}`;
    this.#fail(
      new NarScanError('UPLOAD_TRUNCATED', `the upload broke off after ${this.#received}${of} bytes`),
    );
  };

  /** Writes what waits, as long as there is anything, and ends behind the last of it. */
  async #write(): Promise<void> {
    this.#isWriting = true;
    try {
      while (this.#waiting > 0 && !this.#isOver) {
        const pieces = this.#pieces;
        const bytes = pieces.length === 1 ? (pieces[0] as Uint8Array) : Buffer.concat(pieces, this.#waiting);
        this.#pieces = [];
        this.#waiting = 0;
        if (this.#stream.isPaused()) this.#stream.resume();
        await this.#handle.appendFile(bytes);
        this.#written += bytes.length;
        this.#to.growth.grew(this.#written);
      }
      if (this.#hasEnded && !this.#isOver) await this.#finish();
    } catch (error) {
      this.#fail(writeFault(error));
    } finally {
      this.#isWriting = false;
      if (this.#isOver) await this.#dispose();
    }
  }

  async #finish(): Promise<void> {
    this.#release();
    await this.#handle.close();
    const { file, growth } = this.#to;
    growth.end('complete');
    const fileHash = narHashText(this.#hash.digest());
    this.#settled.resolve({ file, fileHash, fileSize: this.#written });
  }

  /** Of several faults the first counts. Told when the file is gone. */
  #fail(error: NarScanError): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#fault = error;
    this.#release();
    this.#stream.pause();
    this.#to.growth.end('failed');
    if (!this.#isWriting) void this.#dispose();
  }

  async #dispose(): Promise<void> {
    // what cannot be deleted now is swept at the next start
    await this.#handle.close().catch(() => undefined);
    await unlink(this.#to.file).catch(() => undefined);
    this.#settled.reject(this.#fault);
  }

  #window(): void {
    if (this.#stream.isPaused()) this.#pace.excuse();
    if (!this.#pace.isTooSlow()) return;
    const seconds = LIMITS.uploadWindowMilliseconds / 1000;
    const least = LIMITS.uploadWindowBytes;
    this.#fail(new NarScanError('UPLOAD_SLOW', `less than ${least} bytes came in ${seconds} s`));
  }

  #release(): void {
    clearInterval(this.#timer);
    const stream = this.#stream;
    stream.off('end', this.#end);
    stream.off('close', this.#broken);
    stream.off('data', this.#take);
    stream.off('error', this.#broken);
  }
}
