import type { ByteString } from '../../model/bytes.ts';
import { LIMITS } from '../../model/limits.ts';
import { Input } from '../compression/input.ts';
import type { ByteStream, ContainerItem } from '../container.ts';
import {
  beyondLimit,
  byteStringOf,
  corrupt,
  endsEarly,
  faultOf,
  MemberBody,
  tellEnd,
} from '../memberBody.ts';
import type { BodyCheck } from '../memberBody.ts';
import { HEADER_BYTES, readHeader, typeOf } from './header.ts';
import type { CpioFormat, CpioHeader } from './header.ts';

const TRAILER = 'TRAILER!!!';

/**
 * Reads cpio archives: newc, also with checksums, odc and the old binary format (cpio(5); Linux,
 * driver-api/early-userspace/buffer-format). Several archives one after another, with zeros between
 * them, are read as one, as Linux reads an initrd; they end where no other one follows, and `end` is told
 * where the zeros behind the last one end.
 *
 * Of names that share one file, newc gives the contents to the last and size 0 to the others.
 *
 * @throws NarScanError CONTAINER_CORRUPT, CONTAINER_TRUNCATED, CONTAINER_LIMIT; what the source throws
 */
export async function* readCpio(
  source: ByteStream,
  end: (offset: number) => void,
): AsyncGenerator<ContainerItem, void, undefined> {
  const input = new Input(source);
  let format: CpioFormat | null = null;
  try {
    for (;;) {
      if (input.available < HEADER_BYTES) await input.fill(HEADER_BYTES);
      const at = input.offset;
      const header = readHeader(input.bytes, input.start, input.available);
      if (header === null) {
        if (input.available < HEADER_BYTES) throw endsEarly(input, 'cpio');
        throw corrupt('cpio', at, 'not a header');
      }
      // Readers settle on the format of an archive's first header.
      if (format !== null && header.format !== format)
        throw corrupt('cpio', at, 'a header of another format');
      format = header.format;
      const { name, plain } = await readName(input, header, at);
      if (!plain) yield faultOf('corrupt', at, 'a name that does not end at its NUL', name);
      if (name === TRAILER) {
        if (header.size > 0) yield faultOf('corrupt', at, 'the trailer has contents');
        format = null;
        if (await anotherFollows(input)) continue;
        break;
      }
      const type = typeOf(header.mode);
      const offset = input.offset;
      const padding = paddingOf(header.size, header.alignment);
      if (type === 'symlink' && header.size <= LIMITS.cpioTargetBytes) {
        const { target, plain } = await readTarget(input, header.size, padding);
        if (!plain) yield faultOf('corrupt', at, 'NUL in a link target', name);
        yield { item: 'member', name, type, target, offset, stored: true, contents: null };
        continue;
      }
      if (type === 'symlink') yield faultOf('limit-size', at, `a link target of ${header.size} bytes`, name);
      else if (type !== 'file' && header.size > 0) {
        yield faultOf('corrupt', at, 'contents where none can be: readers differ on what follows', name);
      }
      const body = header.size === 0 ? null : new MemberBody(input, header.size, 'cpio', checkOf(header, at));
      yield { item: 'member', name, type, target: '', offset, stored: true, contents: body };
      if (body !== null) await body.pass(padding);
    }
    tellEnd(input, end);
  } finally {
    await input.close();
  }
}

function paddingOf(length: number, alignment: number): number {
  return (alignment - (length % alignment)) % alignment;
}

/** Reads the header, the name and what fills them up. */
async function readName(
  input: Input,
  { length, nameBytes, alignment }: CpioHeader,
  at: number,
): Promise<{ name: ByteString; plain: boolean }> {
  if (nameBytes === 0) throw corrupt('cpio', at, 'a member without a name');
  if (nameBytes > LIMITS.archiveNameBytes) {
    throw beyondLimit('cpio', at, `a name of ${nameBytes} bytes, more than ${LIMITS.archiveNameBytes}`);
  }
  const all = length + nameBytes;
  const filled = all + paddingOf(all, alignment);
  if (!(await input.fill(filled))) throw endsEarly(input, 'cpio');
  const raw = byteStringOf(input.bytes, input.start + length, input.start + all);
  input.start += filled;
  // Some writers fill up the name itself, so that contents lie at whole blocks.
  const name = withoutNuls(raw);
  return { name, plain: raw.endsWith('\0') && !name.includes('\0') };
}

/** Reads a link target that is within the limit. Some writers end it with a NUL. */
async function readTarget(
  input: Input,
  size: number,
  padding: number,
): Promise<{ target: ByteString; plain: boolean }> {
  if (!(await input.fill(size + padding))) throw endsEarly(input, 'cpio');
  const target = withoutNuls(byteStringOf(input.bytes, input.start, input.start + size));
  input.start += size + padding;
  return { target, plain: !target.includes('\0') };
}

function withoutNuls(value: ByteString): ByteString {
  let end = value.length;
  while (end > 0 && value.charCodeAt(end - 1) === 0) end -= 1;
  return value.slice(0, end);
}

/** Passes over zeros. True: another archive in ASCII begins behind them. */
async function anotherFollows(input: Input): Promise<boolean> {
  await input.skipZeros();
  await input.fill(HEADER_BYTES);
  return input.bytes[input.start] === 0x30 && readHeader(input.bytes, input.start, input.available) !== null;
}

function checkOf(header: CpioHeader, at: number): BodyCheck | null {
  const wanted = header.sum;
  if (wanted === null || typeOf(header.mode) !== 'file') return null;
  let sum = 0;
  return {
    add: (piece) => {
      for (const byte of piece) sum = (sum + byte) >>> 0;
    },
    finish: () => {
      if (sum !== wanted) throw corrupt('cpio', at, 'the checksum of the contents is wrong');
    },
  };
}
