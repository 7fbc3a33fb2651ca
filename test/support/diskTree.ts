import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { fsPath } from '../../src/model/bytes.ts';
import { directory, file, type NarTree, symlink } from './narWriter.ts';

/** Makes a tree on disk; `path` is a byte string. */
export function makeTree(path: string, tree: NarTree): void {
  switch (tree.type) {
    case 'file':
      writeFileSync(fsPath(path), tree.contents);
      if (tree.executable) chmodSync(fsPath(path), 0o744);
      break;
    case 'symlink':
      symlinkSync(Buffer.from(tree.target, 'latin1'), fsPath(path));
      break;
    case 'directory':
      mkdirSync(fsPath(path));
      for (const [name, node] of tree.entries) makeTree(`${path}/${name}`, node);
  }
}

/** The tree that lies on disk, its entries in the order of a NAR; `path` is a byte string. */
export function treeOnDisk(path: string): NarTree {
  const stats = lstatSync(fsPath(path));
  if (stats.isSymbolicLink()) return symlink(readlinkSync(fsPath(path), { encoding: 'latin1' }));
  if (stats.isFile()) return file(readFileSync(fsPath(path)), (stats.mode & 0o100) !== 0);
  const names = readdirSync(fsPath(path), { encoding: 'latin1' }).toSorted((a, b) => (a < b ? -1 : 1));
  return directory(...names.map((name) => [name, treeOnDisk(`${path}/${name}`)] as const));
}
