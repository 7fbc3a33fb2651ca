import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import fc from 'fast-check';
import { bytesOfByteString, type ByteString } from '../../src/model/bytes.ts';

/** Few names, so that links meet what is there; some that programs like to get wrong. */
const NAMES = ['a', 'b', 'c', 'a', 'b', 'c', 'd e', 'f$', '\xff', 'g\n', 'h:\n', '\xc3\xa9'];
const STEPS = [...NAMES, ...NAMES, '..', '..', '.', ''];

export interface Entry {
  readonly path: ByteString;
  readonly kind: 'directory' | 'file' | 'link';
  readonly target: ByteString;
}

const pathOf = (steps: readonly string[], most: number): fc.Arbitrary<ByteString> =>
  fc.array(fc.constantFrom(...steps), { minLength: 1, maxLength: most }).map((parts) => parts.join('/'));

/** A path as somebody says it, relative or, with `ROOT` in front, absolute. */
export const saidPath: fc.Arbitrary<ByteString> = fc
  .tuple(
    fc.constantFrom('', '', '', './', '../', 'ROOT/', '/'),
    pathOf(STEPS, 5),
    fc.constantFrom('', '', '', '/', '/.', '//', '/..'),
  )
  .map((parts) => parts.join(''));

/** Directories, files and links of a tree; those that cannot be made (no parent, name taken) are left out. */
export const linkTree: fc.Arbitrary<readonly Entry[]> = fc.array(
  fc.record({
    path: pathOf(NAMES, 3),
    kind: fc.constantFrom('directory', 'directory', 'file', 'link', 'link', 'link'),
    target: saidPath,
  }),
  { minLength: 3, maxLength: 14 },
);

/** What `ROOT` stands for. */
export function placed(text: ByteString, root: string): ByteString {
  return text.replace(/^ROOT/, root);
}

/** Makes a tree in a directory. */
export function makeTree(root: string, entries: readonly Entry[]): void {
  mkdirSync(root);
  for (const { path, kind, target } of entries) {
    const at = bytesOfByteString(`${root}/${path}`);
    try {
      if (kind === 'directory') mkdirSync(at);
      else if (kind === 'file') writeFileSync(at, '', { flag: 'wx' });
      else symlinkSync(bytesOfByteString(placed(target, root) || '.'), at);
    } catch (error) {
      if (!(error instanceof Error && 'syscall' in error)) throw error;
    }
  }
}
