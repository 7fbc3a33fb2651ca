import { join } from 'node:path';
import type { NarHandler } from '../../formats/nar/handler.ts';
import { NarParser } from '../../formats/nar/parser.ts';
import { readNar } from '../../quarantine/store/narFile.ts';
import { NAR_FILE, quarantineDir } from '../../quarantine/store/place.ts';

/** Whoever looks for something in a NAR. */
export interface NarSearch extends NarHandler {
  /** Nothing more is wanted. */
  readonly isDone: boolean;
}

/**
 * Reads the kept NAR of an output until nothing more is wanted of it. Where nothing is kept any more, or it is damaged,
 * it ends sooner.
 *
 * @param state the state directory
 * @param most bytes of it that are read, about
 */
export async function readKeptNar(state: string, id: string, search: NarSearch, most: number): Promise<void> {
  if (search.isDone) return;
  const parser = new NarParser(search);
  const stream = readNar(join(quarantineDir(state), id, NAR_FILE), false);
  let read = 0;
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      parser.push(chunk, 0, chunk.length);
      read += chunk.length;
      if (search.isDone || parser.done || read > most) break;
    }
  } catch {
    // purged meanwhile, or damaged
  }
}
