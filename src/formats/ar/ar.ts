import { LIMITS } from '../../model/limits.ts';
import { Input } from '../compression/input.ts';
import type { ByteStream, ContainerItem } from '../container.ts';
import { byteStringOf, corrupt, endsEarly, faultOf, MemberBody, tellEnd } from '../memberBody.ts';
import { HEADER_BYTES, readHeader } from './header.ts';
import { isTable, nameFormOf, NameTable, readNameInside } from './names.ts';

const MAGIC = '!<arch>\n';
const THIN = '!<thin>\n';

/**
 * Reads an ar archive of GNU or BSD kind, thin ones too (ar(5); GNU binutils, bfd/archive.c). Members of
 * a thin archive are other files: they have a name and no contents here. Symbol tables are members, the
 * table of long names is none. An archive ends where its stream does.
 *
 * @throws NarScanError CONTAINER_CORRUPT, CONTAINER_TRUNCATED; what the source throws
 */
export async function* readAr(
  source: ByteStream,
  end: (offset: number) => void,
): AsyncGenerator<ContainerItem, void, undefined> {
  const input = new Input(source);
  const table = new NameTable();
  try {
    const thin = await readMagic(input);
    for (;;) {
      if (input.available < HEADER_BYTES && !(await input.fill(HEADER_BYTES))) break;
      const at = input.offset;
      const header = readHeader(input.bytes, input.start);
      if (header === null) throw corrupt('ar', at, 'not a header');
      input.start += HEADER_BYTES;
      const padding = header.size % 2;
      if (header.name === '//') {
        if (header.size <= LIMITS.arNameTableBytes) await table.read(input, header.size);
        else {
          yield faultOf('limit-memory', at, `a table of names of ${header.size} bytes`);
          await pass(input, header.size);
        }
        await passPadding(input, padding);
        continue;
      }
      let { name, size } = header;
      const elsewhere = thin && !isTable(name);
      const form = nameFormOf(name);
      if (form.form === 'plain') name = form.name;
      else if (form.form === 'table') {
        const found = table.nameAt(form.at);
        if (found === null) yield faultOf('corrupt', at, 'the table of names has no such name', name);
        else name = found;
      } else if (elsewhere || form.length > Math.min(size, LIMITS.archiveNameBytes)) {
        yield faultOf('corrupt', at, 'a name longer than its member', name);
      } else {
        name = await readNameInside(input, form.length);
        size -= form.length;
      }
      const body = elsewhere || size === 0 ? null : new MemberBody(input, size, 'ar');
      const offset = elsewhere ? null : input.offset;
      yield { item: 'member', name, type: 'file', target: '', offset, stored: true, contents: body };
      if (body !== null) await body.pass(0);
      if (!elsewhere) await passPadding(input, padding);
    }
    if (input.available > 0) throw endsEarly(input, 'ar');
    tellEnd(input, end);
  } finally {
    await input.close();
  }
}

/** Reads the magic; resolves to whether the archive is thin. */
async function readMagic(input: Input): Promise<boolean> {
  if (!(await input.fill(MAGIC.length))) throw endsEarly(input, 'ar');
  const magic = byteStringOf(input.peek(MAGIC.length));
  if (magic !== MAGIC && magic !== THIN) throw corrupt('ar', 0, 'does not begin as the format does');
  input.start += MAGIC.length;
  return magic === THIN;
}

async function pass(input: Input, length: number): Promise<void> {
  if (!(await input.skip(length))) throw endsEarly(input, 'ar');
}

/** The byte behind a member of odd size; writers that leave it out at the very end lose nothing. */
async function passPadding(input: Input, padding: number): Promise<void> {
  if (padding > 0 && (await input.fill(padding))) input.start += padding;
}
