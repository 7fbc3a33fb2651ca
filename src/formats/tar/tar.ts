import type { GapReason } from '../../model/facts.ts';
import { Input } from '../compression/input.ts';
import type { ByteStream, ContainerItem } from '../container.ts';
import { corrupt, endsEarly, faultOf, MemberBody, tellEnd } from '../memberBody.ts';
import { isTar } from '../plausible.ts';
import { entryOf } from './entry.ts';
import { ExtendedHeaders, isExtended } from './extended.ts';
import { hasNoContents, isZeroRecord, paddingOf, readHeader, RECORD_BYTES, typeOf } from './header.ts';
import { passMapInside, passMapRecords } from './sparse.ts';

/**
 * Reads a tar archive of any dialect: V7, ustar, PAX, GNU with its sparse formats (POSIX pax(1); GNU tar
 * manual, Tar Internals). A sparse member has its own name, and as contents its bytes without the holes.
 *
 * The archive ends at a record of zeros, or where the stream ends between two members: that cannot be
 * told from an archive that was cut there, and GNU tar takes it, too. `end` is told where the zeros end.
 *
 * tar-stream reads the same archives in the tests, and not here: it waits for ever on some size fields, takes
 * `12x4` for a size, decodes PAX names as UTF-8, loses step behind the records of GNU's old sparse format,
 * does not say where the archive ended, and is less than half as fast.
 *
 * @throws NarScanError CONTAINER_CORRUPT, CONTAINER_TRUNCATED, CONTAINER_LIMIT; what the source throws
 */
export async function* readTar(
  source: ByteStream,
  end: (offset: number) => void,
): AsyncGenerator<ContainerItem, void, undefined> {
  const input = new Input(source);
  const extended = new ExtendedHeaders();
  try {
    for (;;) {
      if (input.available < RECORD_BYTES && !(await input.fill(RECORD_BYTES))) {
        if (extended.pending) throw endsEarly(input, 'tar');
        break;
      }
      const at = input.offset;
      const header = readHeader(input.bytes, input.start);
      if (header === null) {
        if (isZeroRecord(input.bytes, input.start)) break;
        throw corrupt('tar', at, 'not a header: its checksum is wrong');
      }
      input.start += RECORD_BYTES;
      if (isExtended(header.flag)) {
        await extended.read(input, header.flag, header, at);
        continue;
      }
      const { name, target, size, mapInside, faults } = entryOf(header, extended, at);
      for (const detail of faults) yield faultOf('corrupt', at, detail, name);
      if (header.mapFollows) await passMapRecords(input);
      let left = size;
      if (size > 0 && hasNoContents(header.flag)) {
        yield faultOf('corrupt', at, 'a size where no contents can be: readers differ on what follows', name);
        if (await headerFollows(input)) left = 0;
      }
      const padding = paddingOf(left);
      if (mapInside) {
        const map = await passMapInside(input, left);
        left -= map.bytes;
        if (!map.valid) yield faultOf('corrupt', at, 'no map of holes where one should be', name);
      }
      const doubt = DOUBTS[header.flag];
      if (doubt !== undefined) yield faultOf(doubt[0], at, doubt[1], name);
      const body = left === 0 ? null : new MemberBody(input, left, 'tar');
      const type = typeOf(header.flag, name, size);
      yield { item: 'member', name, type, target, offset: input.offset, stored: true, contents: body };
      if (body !== null) await body.pass(padding);
    }
    if (extended.pending) yield faultOf('corrupt', input.offset, 'an extended header without a member');
    for (const detail of extended.next().faults) yield faultOf('corrupt', input.offset, detail);
    await passEnd(input);
    tellEnd(input, end);
  } finally {
    await input.close();
  }
}

/** Flags of members that are not all there, or are there for some readers only. */
const DOUBTS: Readonly<Record<string, readonly [GapReason, string]>> = {
  M: ['unsupported', 'its beginning is in another volume'],
  N: ['corrupt', 'some readers take it for the name of the next member'],
};

async function headerFollows(input: Input): Promise<boolean> {
  if (!(await input.fill(RECORD_BYTES))) return input.available === 0;
  return isTar(input.bytes, input.start) || isZeroRecord(input.bytes, input.start);
}

/** Passes over the zeros at the archive's end. A header never begins with one. */
async function passEnd(input: Input): Promise<void> {
  const zeros = await input.skipZeros();
  if (zeros < RECORD_BYTES && input.available > 0) throw endsEarly(input, 'tar');
}
