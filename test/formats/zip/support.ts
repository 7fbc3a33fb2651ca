import type { MemberType } from '../../../src/formats/container.ts';
import { readZip } from '../../../src/formats/zip/zip.ts';
import { NarScanError } from '../../../src/model/errors.ts';
import { wholeReader } from '../../support/rangeReaders.ts';

interface ReadMember {
  readonly name: string;
  readonly type: MemberType;
  readonly target: string;
  readonly offset: number | null;
  readonly stored: boolean;
  /** Null: the member has none. */
  readonly content: string | null;
  /** The code of the error that its content ended with. */
  readonly error: string | null;
}

export interface ReadArchive {
  readonly members: readonly ReadMember[];
  /** `reason: detail`, without offsets. */
  readonly faults: readonly string[];
}

/** Everything that a zip is read as. */
export async function readAll(bytes: Uint8Array): Promise<ReadArchive> {
  const members: ReadMember[] = [];
  const faults: string[] = [];
  for await (const item of readZip(wholeReader(bytes))) {
    if (item.item === 'fault') {
      faults.push(`${item.reason}: ${item.detail.replace(/^zip at byte \d+: /, '')}`);
      continue;
    }
    const { name, type, target, offset, stored, contents } = item;
    let content = contents === null ? null : '';
    let error: string | null = null;
    try {
      for await (const chunk of contents ?? []) content += Buffer.from(chunk).toString('latin1');
    } catch (thrown) {
      if (!(thrown instanceof NarScanError)) throw thrown;
      error = thrown.code;
    }
    members.push({ name, type, target, offset, stored, content, error });
  }
  return { members, faults };
}

/** Names and contents, for archives without damage. */
export function contentsOf({ members }: ReadArchive): [string, string | null][] {
  return members.map(({ name, content }) => [name, content]);
}

/** Whether anything is wrong with an archive. */
export function isFaulty({ members, faults }: ReadArchive): boolean {
  return faults.length > 0 || members.some(({ error }) => error !== null);
}
