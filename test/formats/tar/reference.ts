import { extract } from 'tar-stream';
import type { Header } from 'tar-stream';

export interface ReferenceMember {
  readonly name: string;
  readonly target: string;
  readonly type: Header['type'] | null;
  readonly bytes: Buffer;
  /** Offset of the header right before the contents. */
  readonly at: number;
}

/** What tar-stream reads; `failed`: it refused to read on. PAX values come out as UTF-8, others as bytes. */
export async function readByTarStream(
  bytes: Uint8Array,
): Promise<{ members: ReferenceMember[]; failed: boolean }> {
  const options = { filenameEncoding: 'latin1', allowUnknownFormat: true };
  const reader = extract(options as Parameters<typeof extract>[0]);
  const members: ReferenceMember[] = [];
  try {
    reader.end(Buffer.from(bytes));
    for await (const stream of reader) {
      const parts: Buffer[] = [];
      for await (const piece of stream) parts.push(Buffer.from(piece as Uint8Array));
      const { name, type, linkname } = stream.header;
      members.push({ name, type, target: linkname ?? '', bytes: Buffer.concat(parts), at: stream.offset });
    }
  } catch {
    return { members, failed: true };
  }
  return { members, failed: false };
}
