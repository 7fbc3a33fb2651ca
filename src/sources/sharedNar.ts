import { readSync } from 'node:fs';
import type { ByteString } from '../model/bytes.ts';
import type { RangeReader } from '../formats/ranges.ts';
import type { ByteSource } from './byteSource.ts';
import { FileRange, type FileStretch } from './fileContents.ts';
import type { ReadElsewhere } from './streamTarget.ts';

/** The contents of one file of a NAR, as they lie in a file on disk. */
export interface NarContent extends FileStretch {
  readonly entry: ByteString;
  /** What tells its kind. */
  readonly name: ByteString;
}

/** Who takes contents of NARs from whoever parses them. */
export interface Sharing {
  /** Least bytes of what is given to it. */
  readonly from: number;
  /** Whether it takes one: nobody else reads it then. */
  readonly take: (content: NarContent) => boolean;
}

/** A NAR in a file, of which others read large contents. */
export class SharedNar implements ByteSource, ReadElsewhere {
  readonly length: number;
  readonly takes: ReadElsewhere['takes'];
  readonly #fd: number;
  #at = 0;

  /** @param file all of it */
  constructor(fd: number, file: FileStretch, { from, take }: Sharing) {
    this.#fd = fd;
    const { path, identity } = file;
    this.length = file.size;
    this.takes = (entry, name, offset, size) => {
      // what is not all there breaks off here
      if (size < from || offset + size > file.size) return false;
      return take({ path, identity, offset, size, entry, name });
    };
  }

  read(memory: Uint8Array, at: number, length: number): number {
    const count = readSync(this.#fd, memory, at, length, this.#at);
    this.#at += count;
    return count;
  }

  range(offset: number, size: number): RangeReader {
    return new FileRange(this.#fd, offset, size);
  }

  goOn(offset: number): void {
    this.#at = offset;
  }
}
