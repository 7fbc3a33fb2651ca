import { LIMITS } from '../../model/limits.ts';
import type { ByteString } from '../../model/bytes.ts';
import { isZlibHeader } from '../compression/magic.ts';
import { streamOf } from '../container.ts';
import type { ContainerItem, RandomContainer } from '../container.ts';
import { startsDeflate } from '../deflateHeader.ts';
import { byteAt } from '../integers.ts';
import type { RangeReader } from '../ranges.ts';
import { bytesAt, packedFault, packedMember, PackedPiece } from '../zlib/piece.ts';
import { packingOf } from './dictionary.ts';
import type { StreamPacking } from './dictionary.ts';
import { unfilter } from './filters.ts';
import { findText } from '../zlib/find.ts';

const KEYWORD = 'stream';
/** Bytes before the keyword in which its dictionary must end, and behind it in which data begin. */
const NEAR_BYTES = 128;

/** End marks of the filters whose data cannot hold them; others end at the keyword `endstream`. */
const END_MARKS: Readonly<Record<string, string>> = { ASCII85Decode: '~', ASCIIHexDecode: '>' };

/** A place where the keyword stands between a dictionary and data. */
interface FoundStream {
  readonly keyword: number;
  readonly data: number;
  /** No byte stands between the keywords `stream` and `endstream`. */
  readonly empty: boolean;
  /** A zlib stream can begin with the data. */
  readonly zlib: boolean;
}

/**
 * The packed streams of a PDF document (ISO 32000-1, 7.3.8 and 7.4): of every stream object that
 * stands in the file, whether a cross-reference leads to it or not, what its filters undo to. The
 * stated length is not used: packed data tell their own end, so that no reader sees more of them.
 *
 * A document that is encrypted is a fault, and so is a stream with a filter that is not known here;
 * images are none.
 */
export const readPdf: RandomContainer = async function* (
  reader: RangeReader,
): AsyncGenerator<ContainerItem, void, undefined> {
  const encryption = findEncryption(reader);
  if (encryption !== -1) yield packedFault('encrypted', encryption, 'the document is encrypted');
  let searched = 0;
  for (let at = findText(reader, KEYWORD, 0); at !== -1; at = findText(reader, KEYWORD, at)) {
    const found = streamAt(reader, at);
    at += KEYWORD.length;
    if (found === null) continue;
    const from = Math.max(searched, found.keyword - LIMITS.packedHeaderBytes);
    const packing = packingOf(textAt(reader, from, found.keyword));
    searched = found.data;
    at = found.data;
    if (found.empty) continue;
    at = yield* readStream(reader, found, packing, encryption !== -1);
    searched = at;
  }
};

/** Reads one stream object. Returns the offset at which the search goes on. */
async function* readStream(
  reader: RangeReader,
  { data, zlib }: FoundStream,
  { filters, indirect, identity }: StreamPacking,
  encrypted: boolean,
): AsyncGenerator<ContainerItem, number, undefined> {
  const [first] = filters;
  if (first === 'FlateDecode' && !zlib && !encrypted) {
    yield packedFault('corrupt', data, 'no zlib stream begins here, though the dictionary says so');
    return data;
  }
  if (zlib && (first === undefined || first === 'FlateDecode')) {
    // Where nothing surely says that the data are packed, a failure says that they were not.
    return yield* readFlate(reader, data, filters.slice(1), identity, first === undefined || encrypted);
  }
  if (first === undefined) {
    if (indirect && !encrypted && !isJpeg(reader, data))
      yield packedFault('unsupported', data, 'the filters of a stream are named elsewhere');
    return data;
  }
  if (encrypted) return data;
  const mark = END_MARKS[first];
  const end = findText(reader, mark ?? 'endstream', data);
  const limit = end === -1 ? reader.size : end + (mark?.length ?? 0);
  const { contents, undone, stopped } = unfilter(streamOf(reader, data, limit - data), filters, identity);
  if (stopped !== null) yield packedFault('unsupported', data, describe(stopped));
  if (undone === 0) return data;
  yield packedMember(`stream@${data}`, data, contents);
  return limit;
}

/** Whether an image begins here, whatever its filter is called: no packed text begins with these bytes. */
function isJpeg(reader: RangeReader, at: number): boolean {
  return textAt(reader, at, at + 3) === '\xff\xd8\xff';
}

/** @param doubtful the dictionary does not say for sure that the data are a zlib stream */
async function* readFlate(
  reader: RangeReader,
  data: number,
  filters: readonly string[],
  identity: boolean,
  doubtful: boolean,
): AsyncGenerator<ContainerItem, number, undefined> {
  const piece = new PackedPiece('zlib', reader, data);
  try {
    const source = doubtful ? piece.attempt() : piece.contents();
    const { contents, stopped } = unfilter(source, filters, identity);
    if (stopped !== null) yield packedFault('unsupported', data, describe(stopped));
    yield piece.member(contents);
    const fault = await piece.finish();
    if (fault !== null && !(doubtful && piece.isChance)) yield fault;
    return piece.end ?? data + Math.max(1, piece.error?.offset ?? 1);
  } finally {
    await piece.close();
  }
}

function describe(filter: string): string {
  const name = filter.replace(/[^A-Za-z0-9.]/g, '?').slice(0, 40);
  return `a stream is packed by the filter ${name}`;
}

/** Offset of the trailer's key that says that the document is encrypted, or -1. */
function findEncryption(reader: RangeReader): number {
  const key = '/Encrypt';
  for (let at = findText(reader, key, 0); at !== -1; at = findText(reader, key, at + 1)) {
    const next = textAt(reader, at + key.length, at + key.length + 1);
    if (!/^[A-Za-z]/.test(next)) return at;
  }
  return -1;
}

/** The stream whose keyword stands at `keyword`; null: it is a word of some text, or ends a stream. */
function streamAt(reader: RangeReader, keyword: number): FoundStream | null {
  const from = Math.max(0, keyword - NEAR_BYTES);
  const before = textAt(reader, from, keyword);
  if (before.endsWith('end') || !endsDictionary(before)) return null;
  const start = keyword + KEYWORD.length;
  const near = bytesAt(reader, start, NEAR_BYTES);
  let skip = 0;
  while (byteAt(near, skip) === 0x20 || byteAt(near, skip) === 0x09) skip += 1;
  const line = byteAt(near, skip);
  if (line !== 0x0a && line !== 0x0d) return null;
  skip += line === 0x0d && byteAt(near, skip + 1) === 0x0a ? 2 : 1;
  const rest = Buffer.from(near.subarray(skip)).toString('latin1');
  return {
    keyword,
    data: start + skip,
    empty: rest.trimStart().startsWith('endstream'),
    zlib:
      rest.length >= 2 &&
      isZlibHeader(byteAt(near, skip), byteAt(near, skip + 1)) &&
      startsDeflate(near, skip + 2),
  };
}

/** Whether a text ends with a dictionary, and white space or comments behind it. */
function endsDictionary(text: ByteString): boolean {
  const end = text.lastIndexOf('>>');
  if (end === -1) return false;
  return text
    .slice(end + 2)
    .split(/[\r\n]/)
    .every((line) => /^[\0\t\f ]*(?:%|$)/.test(line));
}

function textAt(reader: RangeReader, from: number, to: number): ByteString {
  return Buffer.from(bytesAt(reader, from, to - from)).toString('latin1');
}
