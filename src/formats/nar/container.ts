import type { ByteString } from '../../model/bytes.ts';
import { NarScanError } from '../../model/errors.ts';
import { streamOf, type Member, type RandomContainer } from '../container.ts';
import type { RangeReader } from '../ranges.ts';
import type { NarHandler } from './handler.ts';
import { NarParser } from './parser.ts';

const PIECE_BYTES = 256 * 1024;

/**
 * A NAR that lies in a file: its entries as members, by the same strict parser as a NAR of its own.
 *
 * @throws NarScanError CONTAINER_CORRUPT, CONTAINER_TRUNCATED where the parser gives up
 */
export const readNar: RandomContainer = async function* (reader, end) {
  const collector = new Collector(reader);
  const parser = new NarParser(collector);
  try {
    for (let at = 0; at < reader.size && !parser.done; at += PIECE_BYTES) {
      const piece = reader.read(at, Math.min(PIECE_BYTES, reader.size - at));
      if (piece === null) throw new NarScanError('CONTAINER_UNREADABLE', `no bytes at ${at}`, { offset: at });
      collector.pieceOffset = at;
      parser.push(piece, 0, piece.length);
      yield* collector.take();
    }
    parser.end();
    end(parser.offset);
  } catch (error) {
    yield* collector.takeBroken();
    if (!(error instanceof NarScanError) || !error.code.startsWith('NAR_')) throw error;
    const code = error.code === 'NAR_TRUNCATED' ? 'CONTAINER_TRUNCATED' : 'CONTAINER_CORRUPT';
    throw new NarScanError(code, `${error.code}: ${error.message}`, { offset: error.offset ?? 0 });
  }
};

/** Notes where the entries of one piece lie; their contents are then read at their place. */
class Collector implements NarHandler {
  /** Where the piece that is being parsed begins. */
  pieceOffset = 0;
  readonly #reader: RangeReader;
  #members: Member[] = [];
  /** A file whose contents have not begun. */
  #file: { readonly path: ByteString; readonly size: number } | null = null;

  constructor(reader: RangeReader) {
    this.#reader = reader;
  }

  directory(path: ByteString): void {
    if (path !== '') this.#add(path, 'directory', '', null, 0);
  }

  symlink(path: ByteString, target: ByteString): void {
    this.#add(path, 'symlink', target, null, 0);
  }

  file(path: ByteString, _executable: boolean, size: number): void {
    if (size === 0) this.#add(path, 'file', '', null, 0);
    else this.#file = { path, size };
  }

  contents(_chunk: Uint8Array, start: number): void {
    const file = this.#file;
    if (file === null) return;
    this.#file = null;
    this.#add(file.path, 'file', '', this.pieceOffset + start, file.size);
  }

  fileEnd(): void {
    // files were noted when their contents began
  }

  /** The members since the last call. */
  take(): readonly Member[] {
    const members = this.#members;
    this.#members = [];
    return members;
  }

  /** As {@link take}, when the NAR broke off: a name whose contents never came counts too. */
  takeBroken(): readonly Member[] {
    if (this.#file !== null) this.#add(this.#file.path, 'file', '', null, 0);
    this.#file = null;
    return this.take();
  }

  #add(
    path: ByteString,
    type: Member['type'],
    target: ByteString,
    offset: number | null,
    size: number,
  ): void {
    // a file that is longer than the NAR is read as far as there is anything
    const length = offset === null ? 0 : Math.min(size, this.#reader.size - offset);
    const contents = offset === null ? null : streamOf(this.#reader, offset, length);
    this.#members.push({ item: 'member', name: path, type, target, offset, stored: true, contents });
  }
}
