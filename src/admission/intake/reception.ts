import type { FileHandle } from 'node:fs/promises';
import type { NarScanError } from '../../model/errors.ts';
import { LIMITS } from '../../model/limits.ts';
import type { Spooled } from '../contracts.ts';
import type { Body } from '../uploads.ts';
import { Arrival, type Taker } from './arrival.ts';
import { deleteFile } from './deleteFile.ts';
import type { FileHasher } from './fileHasher.ts';
import type { Growth } from './growth.ts';
import { TurnShare } from './turnShare.ts';
import { writeFault } from './writeFault.ts';

/** More pieces than these are not gathered: each has a cost beside its bytes. */
const PIECES = 256;

/** Of all uploads of this process. */
const SHARE = new TurnShare();

interface Destination {
  readonly file: string;
  readonly most: number;
  readonly growth: Growth;
  readonly hasher: FileHasher | null;
}

/**
 * One body on its way to its file. What comes while a write is under way is gathered for the next one, and when that
 * is full the client has to wait: it can be no faster than the disk, and holds no more memory than two writes.
 */
export class Reception implements Taker {
  /** @see Receiving.whole */
  readonly whole: Promise<Spooled>;
  readonly #arrival: Arrival;
  readonly #handle: FileHandle;
  readonly #to: Destination;
  readonly #settled = Promise.withResolvers<Spooled>();
  #pieces: Uint8Array[] = [];
  #waiting = 0;
  #received = 0;
  #written = 0;
  /** It is paused, and will be called when it is its turn. */
  #isInLine = false;
  #isWriting = false;
  #hasEnded = false;
  #fault: NarScanError | null = null;

  constructor(body: Body, handle: FileHandle, to: Destination) {
    this.#handle = handle;
    this.#to = to;
    this.whole = this.#settled.promise;
    this.#arrival = new Arrival(body, to.most, this);
  }

  piece(bytes: Uint8Array): void {
    this.#to.hasher?.update(bytes);
    this.#pieces.push(bytes);
    this.#waiting += bytes.length;
    this.#received += bytes.length;
    const isOver = this.#isLarge && !SHARE.take(bytes.length);
    if (!this.#isWriting) void this.#write();
    if (!isOver && !this.#isFull) return;
    this.#arrival.pause();
    // where it is full it goes on behind the next write
    if (!this.#isFull) this.#goOn();
  }

  get #isLarge(): boolean {
    return this.#received > LIMITS.uploadTurnFreeBytes;
  }

  /** What waits is enough for a write, while one is under way. */
  get #isFull(): boolean {
    return this.#waiting >= LIMITS.uploadWriteBytes || this.#pieces.length >= PIECES;
  }

  /** Goes on, where it is large, when it is its turn. */
  #goOn(): void {
    if (!this.#isLarge) return this.#arrival.resume();
    if (this.#isInLine) return;
    this.#isInLine = true;
    SHARE.wait(() => {
      this.#isInLine = false;
      if (!this.#isFull && this.#fault === null) this.#arrival.resume();
    });
  }

  end(): void {
    this.#hasEnded = true;
    if (!this.#isWriting) void this.#write();
  }

  /** Told when the file is gone. */
  fault(error: NarScanError): void {
    this.#fault = error;
    this.#to.growth.end('failed');
    if (!this.#isWriting) void this.#dispose(error);
  }

  /** Writes what waits, as long as there is anything, and ends behind the last of it. */
  async #write(): Promise<void> {
    this.#isWriting = true;
    try {
      while (this.#waiting > 0 && this.#fault === null) await this.#append(this.#gathered());
      if (this.#hasEnded && this.#fault === null) await this.#finish();
    } catch (error) {
      this.#arrival.stop();
      this.fault(writeFault(error));
    }
    this.#isWriting = false;
    if (this.#fault !== null) await this.#dispose(this.#fault);
  }

  #gathered(): Uint8Array[] {
    const pieces = this.#pieces;
    this.#pieces = [];
    this.#waiting = 0;
    if (this.#arrival.isPaused) this.#goOn();
    return pieces;
  }

  async #append(pieces: Uint8Array[]): Promise<void> {
    for (let left = pieces; left.length > 0;) {
      const { bytesWritten } = await this.#handle.writev(left);
      this.#written += bytesWritten;
      left = behind(left, bytesWritten);
    }
    this.#to.growth.grew(this.#written);
    for (const bytes of pieces) giveBack(bytes);
  }

  async #finish(): Promise<void> {
    await this.#handle.close();
    const { file, growth } = this.#to;
    growth.end('complete');
    this.#settled.resolve({ file, fileSize: this.#written });
  }

  async #dispose(fault: NarScanError): Promise<void> {
    await this.#handle.close().catch(() => undefined);
    await deleteFile(this.#to.file);
    this.#settled.reject(fault);
  }
}

/** What is left of pieces of which `count` bytes were written. */
function behind(pieces: readonly Uint8Array[], count: number): Uint8Array[] {
  let at = 0;
  let rest = count;
  for (; at < pieces.length && rest >= (pieces[at]?.length ?? 0); at++) rest -= pieces[at]?.length ?? 0;
  const [first, ...others] = pieces.slice(at);
  return first === undefined ? [] : [first.subarray(rest), ...others];
}

/**
 * Gives the memory of a piece back. As garbage it would wait for the collector, which is told of all bytes outside its
 * heap and comes every few of them.
 */
function giveBack({ buffer, length }: Uint8Array): void {
  // what is a part of something larger is not this one's alone
  if (buffer instanceof ArrayBuffer && buffer.byteLength === length) buffer.transfer(0);
}
