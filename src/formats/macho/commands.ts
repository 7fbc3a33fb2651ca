import type { ByteString } from '../../model/bytes.ts';
import type { Carrier } from '../../model/facts.ts';
import type { Integers } from '../integers.ts';
import type { Packing } from '../ranges.ts';
import type { Tables } from '../tables.ts';

const LC_REQ_DYLD = 0x8000_0000;
const LC_SEGMENT = 0x1;
const LC_SEGMENT_64 = 0x19;

/**
 * Load commands that hold one string, whose offset in the command stands in its third word.
 * Source: Apple's `mach-o/loader.h`.
 */
const STRING_COMMANDS: ReadonlyMap<number, readonly [name: string, carrier: Carrier]> = new Map([
  [0xc, ['LC_LOAD_DYLIB', 'macho-dylib']],
  [0xd, ['LC_ID_DYLIB', 'macho-dylib']],
  [0xe, ['LC_LOAD_DYLINKER', 'macho-dylinker']],
  [0xf, ['LC_ID_DYLINKER', 'macho-dylinker']],
  [0x10, ['LC_PREBOUND_DYLIB', 'macho-dylib']],
  [0x18, ['LC_LOAD_WEAK_DYLIB', 'macho-dylib']],
  [0x1c, ['LC_RPATH', 'macho-rpath']],
  [0x1f, ['LC_REEXPORT_DYLIB', 'macho-dylib']],
  [0x20, ['LC_LAZY_LOAD_DYLIB', 'macho-dylib']],
  [0x23, ['LC_LOAD_UPWARD_DYLIB', 'macho-dylib']],
  [0x27, ['LC_DYLD_ENVIRONMENT', 'macho-dylinker']],
]);

/** One slice of a fat file, or a whole thin file. */
export interface Slice {
  readonly offset: number;
  readonly wide: boolean;
  readonly integers: Integers;
}

/**
 * Takes what one load command says.
 *
 * @param bytes of the command alone
 * @param offset of the command in the file
 */
export function collectCommand(tables: Tables, slice: Slice, bytes: Uint8Array, offset: number): void {
  const type = slice.integers.u32(bytes, 0);
  // Any reader but the loader ignores the bit that says "required".
  const known = STRING_COMMANDS.get((type & ~LC_REQ_DYLD) >>> 0);
  if (known !== undefined) {
    const [name, carrier] = known;
    const start = bytes.length < 12 ? bytes.length : slice.integers.u32(bytes, 8);
    if (start >= bytes.length) {
      tables.corrupt(offset, `${name} has its string outside the command`);
      return;
    }
    const end = bytes.indexOf(0, start);
    tables.field(carrier, name, offset + start, (end < 0 ? bytes.length : end) - start);
  } else if (type === LC_SEGMENT || type === LC_SEGMENT_64) {
    collectSections(tables, slice, bytes, offset, type === LC_SEGMENT_64);
  }
}

const SECTION_TYPE = 0xff;
/** S_ZEROFILL, S_GB_ZEROFILL, S_THREAD_LOCAL_ZEROFILL: no bytes in the file. */
const ZEROFILL: readonly number[] = [0x1, 0xc, 0x12];

function collectSections(
  tables: Tables,
  slice: Slice,
  bytes: Uint8Array,
  offset: number,
  wide: boolean,
): void {
  const { u32, u64 } = slice.integers;
  const headBytes = wide ? 72 : 56;
  const entryBytes = wide ? 80 : 68;
  if (bytes.length < headBytes) {
    tables.corrupt(offset, 'segment command too short');
    return;
  }
  const count = u32(bytes, wide ? 64 : 48);
  if (headBytes + count * entryBytes > bytes.length) {
    tables.corrupt(offset, 'sections outside their segment command');
    return;
  }
  // A file of split debug information keeps the headers of segments that it does not have.
  if ((wide ? u64(bytes, 48) : u32(bytes, 36)) === 0) return;
  for (let at = headBytes; at < headBytes + count * entryBytes; at += entryBytes) {
    const size = wide ? u64(bytes, at + 40) : u32(bytes, at + 36);
    const place = u32(bytes, at + (wide ? 48 : 40));
    const type = u32(bytes, at + (wide ? 64 : 56)) & SECTION_TYPE;
    if (size === 0 || place === 0 || ZEROFILL.includes(type)) continue;
    const segmentName = nameAt(bytes, at + 16);
    const sectionName = nameAt(bytes, at);
    tables.section({
      name: `${segmentName},${sectionName}`,
      offset: slice.offset + place,
      size,
      compressed: packingOf(segmentName, sectionName),
    });
  }
}

function nameAt(bytes: Uint8Array, at: number): ByteString {
  const nul = bytes.subarray(at, at + 16).indexOf(0);
  return String.fromCharCode(...bytes.subarray(at, at + (nul < 0 ? 16 : nul)));
}

function packingOf(segment: ByteString, section: ByteString): Packing | null {
  if (section.startsWith('__zdebug')) return 'zdebug';
  if (segment === '__LLVM') return 'bitcode';
  // several sections of GCC's in one, each compressed by itself
  return segment === '__GNU_LTO' ? 'unknown' : null;
}
