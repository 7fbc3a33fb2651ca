import type { ByteString } from '../../model/bytes.ts';

/** What a NAR holds, in the order of its bytes. Paths have no leading slash; '' is the root. */
export interface NarHandler {
  /** A directory begins; its entries follow. */
  directory(path: ByteString): void;
  symlink(path: ByteString, target: ByteString): void;
  /** A regular file of `size` bytes begins, the first of them at `offset` of the stream. */
  file(path: ByteString, executable: boolean, size: number, offset: number): void;
  /**
   * Whether the contents of the file that has just begun are read by somebody else: they are not given
   * then, see `passOver` of the parser. Asked of every file that is not empty.
   */
  elsewhere?(): boolean;
  /** The next bytes of that file: [start, end) of the chunk given to push, never empty. */
  contents(chunk: Uint8Array, start: number, end: number): void;
  /** The last content byte was given. Never comes for a file that the input cuts short. */
  fileEnd(): void;
}
