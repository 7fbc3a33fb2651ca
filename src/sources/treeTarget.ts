import { NarScanError } from '../model/errors.ts';
import type { ByteString } from '../model/bytes.ts';
import type { Budget } from '../inspect/containers/budget.ts';
import type { Window } from '../inspect/window.ts';
import { RunEnded } from './byteSource.ts';
import type { FactRoom } from './factSink.ts';
import type { Inspection } from './inspection.ts';
import type { NarHasher } from './narHasher.ts';
import { NarScan, type StreamOutput } from './narStream.ts';
import { TreeNar } from './treeNar.ts';

export interface TreeTargetOptions {
  readonly hasher: NarHasher;
  /** Called as bytes of the NAR pass; true: the run was ended, stop. */
  readonly passed: (bytes: number) => boolean;
  readonly budget: Budget;
  /** What tells the kind of a root that is a file; else its path. */
  readonly rootName?: ByteString;
  /** How many facts are kept; as of any output where it is left out. */
  readonly facts?: FactRoom;
}

/**
 * Scans a tree as the NAR that it serialises to, so that the hash is of the very bytes that were
 * searched. Null where it has no NAR as a whole: then its files are to be scanned one by one.
 *
 * @param path on disk
 * @throws the system's error, or that of a fault of the program
 */
export async function scanTreeNar(
  path: ByteString,
  window: Window,
  inspection: Inspection,
  { hasher, passed, budget, rootName = path, facts }: TreeTargetOptions,
): Promise<StreamOutput | null> {
  using source = new TreeNar(path);
  const range = (offset: number, size: number) => source.range(offset, size);
  const scan = new NarScan({ window, inspection, hasher, range, budget, rootName, ...(facts && { facts }) });
  try {
    const { memory, start, size } = window;
    for (let count; (count = source.read(memory, start, size)) > 0;) {
      scan.chunk(count);
      if (scan.waits) await scan.open();
      if (passed(count)) throw new RunEnded();
      if (budget.turns?.due === true) await budget.turns.pass();
    }
    const [output] = scan.end();
    return output === undefined || output.narHash === null ? null : output;
  } catch (error) {
    if (error instanceof RunEnded) {
      const [output] = scan.broken('limit-time', 'the scan was ended before all was read');
      return output ?? null;
    }
    // what it keeps of open files is let go
    scan.broken('unreadable', '');
    if (error instanceof NarScanError && error.code === 'TREE_NOT_SERIALISABLE') return null;
    throw error;
  }
}
