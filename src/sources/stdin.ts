import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { FdSource } from './byteSource.ts';

const STDIN = 0;

/** Standard input as a source, to be disposed of when it is no longer read. */
export interface StdinSource extends Disposable {
  readonly source: FdSource;
}

/**
 * Opens standard input so that waiting for it never keeps the thread from seeing that the run was
 * ended: a thread that sits in a blocking read can neither be told nor terminated.
 */
export async function openStdin(ended: () => boolean): Promise<StdinSource> {
  const fd = await nonBlocking();
  return {
    source: new FdSource(fd, null, ended),
    [Symbol.dispose]: () => {
      if (fd !== STDIN) closeSync(fd);
    },
  };
}

async function nonBlocking(): Promise<number> {
  const stats = fstatSync(STDIN);
  // a file never keeps its reader waiting, and opened anew it would start at its first byte
  if (stats.isFile() || stats.isBlockDevice()) return STDIN;
  const reopened = reopen();
  if (reopened !== null) return reopened;
  if (stats.isFIFO() || stats.isSocket()) {
    // Node makes the descriptor itself non-blocking, for everyone who shares it: the last resort. A
    // readable socket would read by itself as soon as this thread waits for anything, and lose that.
    const { Socket } = await import('node:net');
    new Socket({ fd: STDIN, readable: false, writable: false }).unref();
  }
  return STDIN;
}

/**
 * Linux opens what a descriptor stands for anew, with flags of its own. It does not for a socket,
 * nor where someone else owns the pipe.
 */
function reopen(): number | null {
  if (process.platform !== 'linux') return null;
  try {
    return openSync('/dev/stdin', constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch {
    return null;
  }
}
