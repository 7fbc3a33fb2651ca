import { closeSync, mkdtempSync, openSync, readSync, rmdirSync, unlinkSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LIMITS } from '../model/limits.ts';
import type { RangeReader } from '../formats/ranges.ts';
import type { Spool, Spools } from '../inspect/containers/spool.ts';

/** Memory is taken in pieces of this size. */
const BLOCK_BYTES = 1024 * 1024;

/** What one worker may keep, and in what. */
export interface SpoolLimits {
  readonly memoryBytes: number;
  readonly fileBytes: number;
}

const SPOOL_LIMITS: SpoolLimits = { memoryBytes: LIMITS.spoolMemoryBytes, fileBytes: LIMITS.spoolFileBytes };

/**
 * Keeps streams in memory, and what does not fit there in temporary files that nobody else can
 * open: each lies in a directory of its own and is unlinked before anything is written to it.
 */
export class DiskSpools implements Spools {
  readonly #limits: SpoolLimits;
  #memoryUsed = 0;
  #fileUsed = 0;
  /** Blocks that were used and are free now. */
  readonly #free: Buffer[] = [];

  constructor(limits: SpoolLimits = SPOOL_LIMITS) {
    this.#limits = limits;
  }

  open(): Spool {
    return new DiskSpool(this);
  }

  /** A block of memory, or null where none is left. */
  block(): Buffer | null {
    const block = this.#free.pop();
    if (block !== undefined) return block;
    if (this.#memoryUsed + BLOCK_BYTES > this.#limits.memoryBytes) return null;
    this.#memoryUsed += BLOCK_BYTES;
    return Buffer.allocUnsafeSlow(BLOCK_BYTES);
  }

  giveBack(blocks: readonly Buffer[]): void {
    this.#free.push(...blocks);
  }

  /** Whether `count` bytes more may go into files; they then count. */
  mayWrite(count: number): boolean {
    if (this.#fileUsed + count > this.#limits.fileBytes) return false;
    this.#fileUsed += count;
    return true;
  }

  written(count: number): void {
    this.#fileUsed -= count;
  }
}

class DiskSpool implements Spool {
  readonly #spools: DiskSpools;
  readonly #blocks: Buffer[] = [];
  /** Bytes in memory, then in the file. */
  #inMemory = 0;
  #inFile = 0;
  #fd: number | null = null;
  #complete = true;

  constructor(spools: DiskSpools) {
    this.#spools = spools;
  }

  get complete(): boolean {
    return this.#complete;
  }

  add(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length && this.#complete;) {
      const room = this.#blocks.length * BLOCK_BYTES - this.#inMemory;
      if (this.#fd === null && room > 0) {
        const part = bytes.subarray(at, at + room);
        this.#blocks.at(-1)?.set(part, BLOCK_BYTES - room);
        this.#inMemory += part.length;
        at += part.length;
        continue;
      }
      const block = this.#fd === null ? this.#spools.block() : null;
      if (block !== null) this.#blocks.push(block);
      else at += this.#write(bytes.subarray(at));
    }
  }

  reader(from: number, size: number): RangeReader {
    return { size, read: (offset, length) => this.#read(offset - from, length) };
  }

  close(): void {
    if (this.#fd !== null) closeSync(this.#fd);
    this.#fd = null;
    this.#spools.written(this.#inFile);
    this.#spools.giveBack(this.#blocks);
    this.#blocks.length = 0;
    this.#inMemory = this.#inFile = 0;
    this.#complete = false;
  }

  #write(bytes: Uint8Array): number {
    if (!this.#spools.mayWrite(bytes.length)) {
      this.#complete = false;
      return 0;
    }
    this.#inFile += bytes.length;
    try {
      this.#fd ??= openUnlinked();
      for (let at = 0; at < bytes.length;) at += writeSync(this.#fd, bytes, at);
    } catch (error) {
      // a full disk is a limit like any other
      if ((error as NodeJS.ErrnoException).syscall === undefined) throw error;
      this.#complete = false;
    }
    return bytes.length;
  }

  #read(offset: number, length: number): Uint8Array | null {
    if (offset < 0 || length < 0 || offset + length > this.#inMemory + this.#inFile) return null;
    const first = Math.floor(offset / BLOCK_BYTES);
    const at = offset % BLOCK_BYTES;
    const block = this.#blocks[first];
    if (block !== undefined && at + length <= BLOCK_BYTES) return block.subarray(at, at + length);
    if (length > LIMITS.binaryTableBytes) return null;
    const bytes = Buffer.allocUnsafe(length);
    for (let count = 0; count < length;) {
      const part = this.#copy(bytes, count, offset + count, length - count);
      if (part === 0) return null;
      count += part;
    }
    return bytes;
  }

  #copy(target: Buffer, at: number, offset: number, length: number): number {
    const block = this.#blocks[Math.floor(offset / BLOCK_BYTES)];
    if (block !== undefined) {
      const from = offset % BLOCK_BYTES;
      return block.copy(target, at, from, Math.min(BLOCK_BYTES, from + length));
    }
    return this.#fd === null ? 0 : readSync(this.#fd, target, at, length, offset - this.#inMemory);
  }
}

function openUnlinked(): number {
  const folder = mkdtempSync(join(tmpdir(), 'nar-scan-spool-'));
  const path = join(folder, 'spool');
  try {
    const fd = openSync(path, 'wx+', 0o600);
    unlinkSync(path);
    return fd;
  } finally {
    rmdirSync(folder);
  }
}
