import type { RandomContainer } from '../container.ts';
import { streamOf } from '../container.ts';
import { BIG_ENDIAN } from '../integers.ts';
import { CONTENT, sniffContent, sniffName } from '../magic.ts';
import { cStringOf } from '../memberBody.ts';
import type { RangeReader } from '../ranges.ts';
import { bytesAt, packedFault } from '../zlib/piece.ts';

const LEAD_BYTES = 96;
/** In the lead: what the signature is. All packages since 1996 have a header for it. */
const SIGNATURE_TYPE_AT = 78;
const HEADER_SIGNATURE = 5;
/** Magic, four reserved bytes, number of entries, bytes of the data behind them. */
const INTRO_BYTES = 16;
const HEADER_MAGIC = 0x8ead_e801;
const ENTRY_BYTES = 16;
/** rpm refuses more (lib/header.c there). */
const MOST_ENTRIES = 0xffff;
/** What follows the signature begins at a multiple of this. */
const ALIGNMENT = 8;

const STRING = 6;
const PAYLOAD_FORMAT = 1124;
const PAYLOAD_COMPRESSOR = 1125;
/** Bytes of the value of these two. */
const VALUE_BYTES = 16;

/** Endings that tell of what has no magic; the others are for people. */
const ENDINGS: ReadonlyMap<string, string> = new Map([
  ['gzip', '.gz'],
  ['bzip2', '.bz2'],
  ['xz', '.xz'],
  ['lzma', '.lzma'],
  ['zstd', '.zst'],
]);

/** Bytes by which the kind of the payload is told. */
const PAYLOAD_HEAD_BYTES = 64 * 1024;

/**
 * An RPM package (rpm, docs/manual/format_v4.md): a lead, a header of signatures, the header, all
 * of them plain, and the payload as the one member: a cpio archive, packed by what its name says.
 *
 * @throws NarScanError CONTAINER_UNREADABLE where the reader does not have the bytes
 */
export const readRpm: RandomContainer = async function* (reader) {
  const lead = bytesAt(reader, 0, LEAD_BYTES);
  if (lead.length < LEAD_BYTES) {
    yield packedFault('truncated', 0, 'the package ends in its lead');
    return;
  }
  if (BIG_ENDIAN.u16(lead, SIGNATURE_TYPE_AT) !== HEADER_SIGNATURE) {
    yield packedFault('unsupported', SIGNATURE_TYPE_AT, 'a package of an old kind');
    return;
  }
  let at = LEAD_BYTES;
  let header: Header | null = null;
  for (const what of ['signature', 'header']) {
    header = headerAt(reader, at);
    if (header === null) {
      const short = reader.size - at < INTRO_BYTES;
      yield packedFault(short ? 'truncated' : 'corrupt', at, `the package has no ${what}`);
      return;
    }
    if (header.end > reader.size) {
      yield packedFault('truncated', at, `the package ends in its ${what}`);
      return;
    }
    at = what === 'header' ? header.end : Math.ceil(header.end / ALIGNMENT) * ALIGNMENT;
  }
  const { format, compressor } = payloadTags(reader, header as Header);
  const name = `payload.cpio${ENDINGS.get(compressor) ?? ''}`;
  const head = bytesAt(reader, at, PAYLOAD_HEAD_BYTES);
  const kind = sniffContent(head, 0, head.length, reader.size - at) ?? sniffName(name, head, 0, head.length);
  const contents = at < reader.size ? streamOf(reader, at) : null;
  yield { item: 'member', name, type: 'file', target: '', offset: at, stored: true, contents };
  if (contents === null) {
    yield packedFault('truncated', at, 'the package ends before its payload');
  } else if (kind === null || !CONTENT[kind].container) {
    yield packedFault('unsupported', at, 'the payload is packed in an unknown way');
  }
  // a delta of two packages is made of what only the older one has
  if (format !== 'cpio') yield packedFault('unsupported', at, 'the payload is no cpio archive');
};

/** Where a header lies. */
interface Header {
  readonly entries: number;
  /** Offset of its first entry. */
  readonly index: number;
  readonly data: number;
  readonly end: number;
}

/** The header that begins at `at`, which may end outside the file; null: none does. */
function headerAt(reader: RangeReader, at: number): Header | null {
  const intro = bytesAt(reader, at, INTRO_BYTES);
  if (intro.length < INTRO_BYTES || BIG_ENDIAN.u32(intro, 0) !== HEADER_MAGIC) return null;
  const entries = BIG_ENDIAN.u32(intro, 8);
  if (entries > MOST_ENTRIES) return null;
  const index = at + INTRO_BYTES;
  const data = index + entries * ENTRY_BYTES;
  return { entries, index, data, end: data + BIG_ENDIAN.u32(intro, 12) };
}

/** What the header says of the payload; without a word it is a cpio archive in gzip. */
function payloadTags(
  reader: RangeReader,
  { entries, index, data, end }: Header,
): { readonly format: string; readonly compressor: string } {
  const values = new Map<number, number>();
  const table = bytesAt(reader, index, entries * ENTRY_BYTES);
  for (let at = 0; at < table.length; at += ENTRY_BYTES) {
    if (BIG_ENDIAN.u32(table, at + 4) !== STRING) continue;
    const tag = BIG_ENDIAN.u32(table, at);
    if (tag === PAYLOAD_FORMAT || tag === PAYLOAD_COMPRESSOR) values.set(tag, BIG_ENDIAN.u32(table, at + 8));
  }
  const valueOf = (tag: number): string | null => {
    const at = values.get(tag);
    if (at === undefined) return null;
    return cStringOf(bytesAt(reader, data + at, Math.min(VALUE_BYTES, end - data - at)));
  };
  return { format: valueOf(PAYLOAD_FORMAT) ?? 'cpio', compressor: valueOf(PAYLOAD_COMPRESSOR) ?? 'gzip' };
}
