import type { RandomContainer } from '../../../src/formats/container.ts';
import { NarScanError } from '../../../src/model/errors.ts';
import { wholeReader } from '../../support/rangeReaders.ts';

interface ReadMember {
  readonly name: string;
  readonly offset: number | null;
  readonly bytes: Buffer;
  /** Code of the error that its contents ended with. */
  readonly code: string | null;
}

export interface ReadContainer {
  readonly members: readonly ReadMember[];
  /** Reason and place of each fault of the container. */
  readonly faults: readonly string[];
}

/** Reads a container to its end, every member in full. */
export async function readAll(read: RandomContainer, bytes: Uint8Array): Promise<ReadContainer> {
  const members: ReadMember[] = [];
  const faults: string[] = [];
  for await (const item of read(wholeReader(bytes), () => undefined)) {
    if (item.item === 'fault') {
      faults.push(`${item.reason}@${item.offset}`);
      continue;
    }
    const parts: Buffer[] = [];
    let code: string | null = null;
    try {
      for await (const chunk of item.contents ?? []) parts.push(Buffer.from(chunk));
    } catch (error) {
      if (!(error instanceof NarScanError)) throw error;
      ({ code } = error);
    }
    members.push({ name: item.name, offset: item.offset, bytes: Buffer.concat(parts), code });
  }
  return { members, faults };
}

/** Whether something of the container was not read: then it can be no part of a clean output. */
export function isIncomplete({ members, faults }: ReadContainer): boolean {
  return faults.length > 0 || members.some(({ code }) => code !== null);
}

export function texts({ members }: ReadContainer): string[] {
  return members.map(({ bytes }) => bytes.toString('latin1'));
}
