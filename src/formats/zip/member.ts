import type { ByteString } from '../../model/bytes.ts';
import { LIMITS } from '../../model/limits.ts';
import { NarScanError } from '../../model/errors.ts';
import type { ContainerFault, ContainerItem, Member } from '../container.ts';
import type { RangeReader } from '../ranges.ts';
import { canUnpack, unpack } from './content.ts';
import type { PackedData, Progress } from './content.ts';
import { corrupt, faultOf } from './faults.ts';
import { FLAG, METHOD } from './headers.ts';
import type { Window } from './window.ts';

const FILE_TYPE = 0xf000;
const SYMLINK = 0xa000;

/** A file as ranges, and its headers out of windows. */
export interface Archive {
  readonly reader: RangeReader;
  /** For the central directory. */
  readonly central: Window;
  /** For what lies among the members. */
  readonly window: Window;
}

/** A member and where its data stand. */
export interface MemberData extends PackedData {
  readonly name: ByteString;
  /** Unix mode, 0 where there is none. */
  readonly mode: number;
}

/** A name that leads out of the place where the archive is unpacked, or that C would cut short; else null. */
export function nameFault({ name, offset }: MemberData): ContainerFault | null {
  if (name.includes('\0')) return corrupt('the name holds a NUL', offset, name);
  if (name.includes('..') && /(?:^|[/\\])\.\.(?:[/\\]|$)/.test(name)) {
    return corrupt("the name holds '..'", offset, name);
  }
  return null;
}

/** The member itself, and what of it is not read. Returns how much of its data its content used. */
export async function* memberItems(
  archive: Archive,
  data: MemberData,
): AsyncGenerator<ContainerItem, Progress, undefined> {
  const { name, offset, method, flags } = data;
  const progress: Progress = { used: 0 };
  if ((flags & (FLAG.encrypted | FLAG.strong | FLAG.maskedHeader)) !== 0) {
    yield memberOf(data, null);
    yield faultOf('encrypted', 'the member is encrypted', offset, name);
  } else if (!canUnpack(method)) {
    yield memberOf(data, null);
    yield faultOf('unsupported', `compression method ${method}`, offset, name);
  } else if (isEmptyDirectory(data)) {
    yield { ...memberOf(data, null), type: 'directory' };
  } else if ((data.mode & FILE_TYPE) === SYMLINK) {
    yield* linkItems(archive, data, progress);
  } else {
    yield memberOf(data, unpack(archive.reader, archive.window, data, progress));
  }
  return progress;
}

function memberOf({ name, offset, method, length, open }: MemberData, contents: Member['contents']): Member {
  return {
    item: 'member',
    name,
    type: 'file',
    target: '',
    offset,
    stored: method === METHOD.stored,
    contents,
    ...(open ? {} : { packed: length }),
  };
}

/** Two bytes are the shortest deflate data, of nothing; jar writes it for directories. */
function isEmptyDirectory({ name, length, method, size, open }: MemberData): boolean {
  if (open || size !== 0 || !name.endsWith('/')) return false;
  return length === 0 || (method === METHOD.deflate && length === 2);
}

async function* linkItems(
  archive: Archive,
  data: MemberData,
  progress: Progress,
): AsyncGenerator<ContainerItem, void, undefined> {
  const { reader, window } = archive;
  let target = '';
  let failure: NarScanError | null = null;
  try {
    for await (const chunk of unpack(reader, window, data, progress)) {
      target += Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength).toString(
        'latin1',
        0,
        LIMITS.zipTargetBytes + 1,
      );
      if (target.length > LIMITS.zipTargetBytes) break;
    }
  } catch (error) {
    if (!(error instanceof NarScanError)) throw error;
    failure = error;
  }
  if (target.length > LIMITS.zipTargetBytes) {
    yield memberOf(data, unpack(reader, window, data, progress));
    yield corrupt('longer than any link target', data.offset, data.name);
    return;
  }
  // some programs unpack it as a file: then it is content, and may be of any kind
  yield { ...memberOf(data, unpack(reader, window, data, progress)), type: 'symlink', target };
  if (failure !== null) yield corrupt(failure.message, data.offset, data.name);
}
