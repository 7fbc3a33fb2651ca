import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { fsPath } from '../../src/model/bytes.ts';
import type { NarTree } from './narWriter.ts';

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
