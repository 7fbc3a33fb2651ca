/** The grammar of zstd frames (RFC 8878, section 3.1), as far as is needed to find where one ends. */

/** Magic, frame header descriptor. */
export const ZSTD_HEADER_START_BYTES = 5;
export const ZSTD_BLOCK_HEADER_BYTES = 3;
export const ZSTD_CHECKSUM_BYTES = 4;
const BLOCK_MAX_BYTES = 128 * 1024;

/** Bytes of a frame header from the magic on, given its first five bytes. */
export function zstdHeaderBytes(head: Uint8Array): number {
  const descriptor = head[4] ?? 0;
  const single = (descriptor & 0x20) !== 0;
  const contentSize = [single ? 1 : 0, 2, 4, 8][descriptor >> 6] ?? 0;
  const dictionaryId = [0, 1, 2, 4][descriptor & 3] ?? 0;
  return ZSTD_HEADER_START_BYTES + (single ? 0 : 1) + dictionaryId + contentSize;
}

export interface ZstdFrameHeader {
  /** Bytes that the decoder must keep. */
  readonly windowBytes: number;
  /** Decoded bytes of the frame, where it says so. */
  readonly contentBytes: number | null;
  readonly hasChecksum: boolean;
  readonly needsDictionary: boolean;
  /** A bit is set that no encoder of today sets. */
  readonly reserved: boolean;
  readonly blockMaxBytes: number;
}

/** Reads a frame header of {@link zstdHeaderBytes} bytes. */
export function readZstdHeader(head: Uint8Array): ZstdFrameHeader {
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const descriptor = view.getUint8(4);
  const single = (descriptor & 0x20) !== 0;
  let at = ZSTD_HEADER_START_BYTES;
  let windowBytes = 0;
  if (!single) {
    const window = view.getUint8(at);
    const base = 2 ** (10 + (window >> 3));
    windowBytes = base + (base / 8) * (window & 7);
    at += 1;
  }
  let dictionary = 0;
  const idBytes = [0, 1, 2, 4][descriptor & 3] ?? 0;
  for (const end = at + idBytes; at < end; at += 1) dictionary |= view.getUint8(at);
  let contentBytes: number | null = null;
  const sizeCode = descriptor >> 6;
  if (sizeCode === 1) contentBytes = view.getUint16(at, true) + 256;
  else if (sizeCode === 2) contentBytes = view.getUint32(at, true);
  else if (sizeCode === 3) contentBytes = Number(view.getBigUint64(at, true));
  else if (single) contentBytes = view.getUint8(at);
  if (single) windowBytes = contentBytes ?? 0;
  return {
    windowBytes,
    contentBytes,
    hasChecksum: (descriptor & 4) !== 0,
    needsDictionary: dictionary !== 0,
    reserved: (descriptor & 8) !== 0,
    blockMaxBytes: Math.min(BLOCK_MAX_BYTES, windowBytes),
  };
}

export interface ZstdBlock {
  readonly last: boolean;
  /** Bytes of the block in the frame, its header not counted. */
  readonly storedBytes: number;
  /** The most that it can decode to. */
  readonly outputBytes: number;
  /** The reserved type, or larger than a block of this frame may be. */
  readonly malformed: boolean;
}

/** Reads a block header of three bytes. */
export function readZstdBlock(bytes: Uint8Array, at: number, blockMaxBytes: number): ZstdBlock {
  const word = (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16);
  const type = (word >> 1) & 3;
  const size = word >> 3;
  const repeated = type === 1;
  return {
    last: (word & 1) !== 0,
    storedBytes: repeated ? 1 : size,
    outputBytes: type === 2 ? blockMaxBytes : size,
    malformed: type === 3 || size > blockMaxBytes,
  };
}

/**
 * Where the frame at the start of `bytes` ends and the most that it can decode to; null where
 * the end does not lie within `bytes`, or a block is malformed.
 */
export function measureZstdFrame(
  bytes: Uint8Array,
  headerBytes: number,
  header: ZstdFrameHeader,
): { readonly bytes: number; readonly outputBytes: number } | null {
  let outputBytes = 0;
  for (let at = headerBytes; at + ZSTD_BLOCK_HEADER_BYTES <= bytes.length;) {
    const block = readZstdBlock(bytes, at, header.blockMaxBytes);
    if (block.malformed) return null;
    at += ZSTD_BLOCK_HEADER_BYTES + block.storedBytes;
    outputBytes += block.outputBytes;
    if (!block.last) continue;
    if (header.hasChecksum) at += ZSTD_CHECKSUM_BYTES;
    return at <= bytes.length ? { bytes: at, outputBytes } : null;
  }
  return null;
}
