import type { Member, StreamContainer } from '../../src/formats/container.ts';
import { NarScanError } from '../../src/model/errors.ts';

/** A member, and what came of reading it. */
interface ReadMember extends Omit<Member, 'item' | 'contents'> {
  /** Null: it has none, or was not asked for. */
  readonly bytes: Buffer | null;
  /** Code of the error its contents ended with. */
  readonly code: string | null;
}

/** Everything that a container reader says of some bytes. */
export interface ReadContainer {
  readonly members: readonly ReadMember[];
  /** `reason: detail` of each. */
  readonly faults: readonly string[];
  /** Code and offset of the error it ended with. */
  readonly code: string | null;
  readonly offset: number | null;
  readonly end: number | null;
}

export async function* chunksOf(chunks: Iterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  yield* chunks;
}

/** Reads a container to its end; `wanted` says whose contents are read, and how much of them. */
export async function readAll(
  reader: StreamContainer,
  chunks: Iterable<Uint8Array>,
  wanted: 'all' | 'none' | 'first piece' = 'all',
): Promise<ReadContainer> {
  const members: ReadMember[] = [];
  const faults: string[] = [];
  let end: number | null = null;
  let error: NarScanError | null = null;
  try {
    for await (const item of reader(chunksOf(chunks), (offset) => (end = offset))) {
      if (item.item === 'fault') {
        faults.push(`${item.reason}: ${item.detail}`);
        continue;
      }
      const { item: _, contents, ...rest } = item;
      members.push({ ...rest, ...(await readMember(wanted === 'none' ? null : contents, wanted === 'all')) });
    }
  } catch (thrown) {
    if (!(thrown instanceof NarScanError)) throw thrown;
    error = thrown;
  }
  return { members, faults, code: error?.code ?? null, offset: error?.offset ?? null, end };
}

async function readMember(
  contents: Member['contents'],
  whole: boolean,
): Promise<{ bytes: Buffer | null; code: string | null }> {
  if (contents === null) return { bytes: null, code: null };
  const parts: Buffer[] = [];
  try {
    for await (const piece of contents) {
      parts.push(Buffer.from(piece));
      if (!whole) break;
    }
  } catch (thrown) {
    if (!(thrown instanceof NarScanError)) throw thrown;
    return { bytes: Buffer.concat(parts), code: thrown.code };
  }
  return { bytes: Buffer.concat(parts), code: null };
}
