import { accessSync, readlinkSync, realpathSync, statSync } from 'node:fs';
import { fsPath, type ByteString } from '../model/bytes.ts';
import { type Disk, PathFault } from './canonicalize.ts';

/** The longest path that a system takes (PATH_MAX on Linux, with its zero byte): longer ones are not handed over. */
const PATH_MAX = 4096;

/** This machine's file system. Names are bytes, also where they are not UTF-8. */
export const hostDisk: Disk = {
  cwd: () => asking('.', () => realpathSync.native('.', 'latin1')),
  readLink: (path) => asking(path, () => readlinkSync(fsPath(path), 'latin1')),
  check: (path) => asking(path, () => accessSync(fsPath(path))),
  identity: (path) =>
    asking(path, () => {
      const { dev, ino } = statSync(fsPath(path), { bigint: true });
      return `${dev}:${ino}`;
    }),
  isDirectory: (path) => asking(path, () => statSync(fsPath(path)).isDirectory()),
};

function asking<T>(path: ByteString, act: () => T): T {
  if (path.length >= PATH_MAX) throw new PathFault('ENAMETOOLONG');
  try {
    return act();
  } catch (error) {
    const { code, syscall } = error as NodeJS.ErrnoException;
    if (code === undefined || syscall === undefined) throw error;
    throw new PathFault(code);
  }
}
