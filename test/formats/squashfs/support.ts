import { execFileSync } from 'node:child_process';
import { linkSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Member } from '../../../src/formats/container.ts';
import { readSquashfs } from '../../../src/formats/squashfs/squashfs.ts';
import { NarScanError } from '../../../src/model/errors.ts';
import { wholeReader } from '../../support/rangeReaders.ts';

/** What lies in an image by path: contents, a link (`-> target`), or another name (`= path`) of an entry before it. */
export type Tree = Readonly<Record<string, string | Uint8Array>>;

/** Packs a tree with mksquashfs. */
export function pack(tree: Tree, ...options: readonly string[]): Buffer {
  const folder = mkdtempSync(join(tmpdir(), 'squashfs-'));
  try {
    const root = join(folder, 'root');
    mkdirSync(root);
    for (const [path, content] of Object.entries(tree)) {
      const full = join(root, path);
      mkdirSync(dirname(full), { recursive: true });
      if (typeof content !== 'string') writeFileSync(full, content);
      else if (content.startsWith('-> ')) symlinkSync(content.slice(3), full);
      else if (content.startsWith('= ')) linkSync(join(root, content.slice(2)), full);
      else writeFileSync(full, content);
    }
    return packFolder(root, ...options);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Packs a directory with mksquashfs. */
export function packFolder(root: string, ...options: readonly string[]): Buffer {
  const folder = mkdtempSync(join(tmpdir(), 'squashfs-'));
  try {
    const image = join(folder, 'image');
    const always = ['-quiet', '-no-progress', '-all-root'];
    const env = { ...process.env, SOURCE_DATE_EPOCH: '1' };
    execFileSync('mksquashfs', [root, image, ...always, ...options], { stdio: 'pipe', env });
    return readFileSync(image);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

interface ReadMember extends Omit<Member, 'item' | 'contents'> {
  /** Null: it has no content. */
  readonly bytes: Buffer | null;
  /** Code of the error that its contents ended with. */
  readonly code: string | null;
}

export interface ReadImage {
  readonly members: readonly ReadMember[];
  /** `reason: detail` of each. */
  readonly faults: readonly string[];
  readonly end: number | null;
}

/** Reads an image to its end, every member in full. */
export async function readImage(bytes: Uint8Array): Promise<ReadImage> {
  const members: ReadMember[] = [];
  const faults: string[] = [];
  let end: number | null = null;
  for await (const item of readSquashfs(wholeReader(bytes), (offset) => (end = offset))) {
    if (item.item === 'fault') {
      faults.push(`${item.reason}: ${item.detail}`);
      continue;
    }
    const { item: _, contents, ...rest } = item;
    const parts: Buffer[] = [];
    let code: string | null = null;
    try {
      for await (const chunk of contents ?? []) parts.push(Buffer.from(chunk));
    } catch (error) {
      if (!(error instanceof NarScanError)) throw error;
      ({ code } = error);
    }
    members.push({ ...rest, bytes: contents === null ? null : Buffer.concat(parts), code });
  }
  return { members, faults, end };
}

/** Whether anything of the image was not read. */
export const isIncomplete = ({ members, faults }: ReadImage): boolean =>
  faults.length > 0 || members.some(({ code }) => code !== null);

/** Whether a text stands in a content, a name or a target. */
export const holds = ({ members }: ReadImage, text: string): boolean =>
  members.some(({ name, target, bytes }) =>
    [name, target, bytes?.toString('latin1') ?? ''].some((part) => part.includes(text)),
  );

/** Contents by path; sections and names without content left out. */
export const files = ({ members }: ReadImage): Readonly<Record<string, Buffer>> =>
  Object.fromEntries(
    members.flatMap(({ name, bytes, section }) =>
      bytes === null || section === true ? [] : [[name, bytes] as const],
    ),
  );
