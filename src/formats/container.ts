import type { ByteString } from '../model/bytes.ts';
import type { GapReason } from '../model/facts.ts';
import { NarScanError } from '../model/errors.ts';
import type { RangeReader } from './ranges.ts';

/**
 * Bytes in order. A chunk is valid until the next one is asked for. Whoever stops early returns
 * the iterator, and the source lets go of what it holds.
 */
export type ByteStream = AsyncIterable<Uint8Array>;

export type MemberType = 'file' | 'directory' | 'symlink' | 'hardlink' | 'special';

/** One thing that a container holds. Members come one after another: asking for the next ends this one. */
export interface Member {
  readonly item: 'member';
  /** As the container writes it, raw; bounded by the reader. '' where it has no name. */
  readonly name: ByteString;
  readonly type: MemberType;
  /** What a link leads to, as stored; '' for everything else. */
  readonly target: ByteString;
  /** Offset in the container at which the member's bytes, packed or not, begin; null where nobody knows. */
  readonly offset: number | null;
  /** Whether those bytes stand in the container as they are, in one piece. */
  readonly stored: boolean;
  /**
   * The content, to be read at most once; null for what has none. What was decoded before a fault
   * is yielded first.
   *
   * @throws NarScanError CONTAINER_* or COMPRESSION_* while it is read; the container goes on where it can
   */
  readonly contents: ByteStream | null;
  /** Bytes that the content takes in the container, where that is known: what it may expand to depends on it. */
  readonly packed?: number;
  /** A section of a binary rather than a named member. */
  readonly section?: boolean;
}

/** Something of a container that was not read, or that two readers may read in two ways. */
export interface ContainerFault {
  readonly item: 'fault';
  readonly reason: GapReason;
  /** Offset in the container, null where none applies. */
  readonly offset: number | null;
  /** The member it belongs to, null for the container itself. */
  readonly member: ByteString | null;
  /** One line. */
  readonly detail: string;
}

export type ContainerItem = Member | ContainerFault;

/**
 * Reads a container front to back. Content after the container's end is left to the caller: `end`
 * is told where the container ended, if it did.
 *
 * @throws NarScanError CONTAINER_* where the container cannot be read any further; what the source throws
 */
export type StreamContainer = (
  source: ByteStream,
  end: (offset: number) => void,
) => AsyncGenerator<ContainerItem, void, undefined>;

/**
 * Reads a container by its tables. Those that may have something behind them tell `end` where they ended.
 * @throws as {@link StreamContainer}
 */
export type RandomContainer = (
  reader: RangeReader,
  end: (offset: number) => void,
) => AsyncGenerator<ContainerItem, void, undefined>;

/** Bytes that are asked for at once. */
const PIECE_BYTES = 256 * 1024;

/**
 * The bytes [offset, offset + length) of a reader, in order.
 * @throws NarScanError CONTAINER_UNREADABLE where the reader does not have them
 */
export async function* streamOf(
  reader: RangeReader,
  offset = 0,
  length = reader.size - offset,
): AsyncGenerator<Uint8Array, void, undefined> {
  const end = offset + length;
  for (let at = offset; at < end; at += PIECE_BYTES) {
    const piece = reader.read(at, Math.min(PIECE_BYTES, end - at));
    if (piece === null) {
      throw new NarScanError('CONTAINER_UNREADABLE', `no bytes at offset ${at}`, { offset: at });
    }
    yield piece;
  }
}
