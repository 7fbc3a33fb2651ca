import type { ByteString } from '../../model/bytes.ts';
import type { Finding } from '../../model/facts.ts';
import { LIMITS } from '../../model/limits.ts';
import { type NarSearch, readKeptNar } from './keptNar.ts';
import type { Surroundings } from './views.ts';

/** Bytes before a leak and from its beginning on, in whole rows of a dump. */
const BEFORE = 32;
const AFTER = 96;
const ROW = 16;

interface Wanted {
  readonly finding: Finding;
  readonly from: number;
  readonly to: number;
}

/**
 * The bytes around leaks as they lie in the kept NAR of an output. What is not found there, because nothing is kept,
 * it is damaged, or it lies far behind, is left out: the evidence shows it.
 *
 * @param state the state directory
 */
export async function surroundingsOf(
  state: string,
  id: string,
  findings: readonly Finding[],
): Promise<ReadonlyMap<Finding, Surroundings>> {
  const collector = new Collector(findings.flatMap(wantedOf));
  await readKeptNar(state, id, collector, LIMITS.reviewNarBytes);
  return collector.found;
}

/** Only bytes of the entry itself lie in the NAR as they are. */
function wantedOf(finding: Finding): readonly Wanted[] {
  const { carrier, location } = finding;
  if (carrier === 'symlink' || carrier === 'entry-name') return [];
  if (location.container.length > 0 || location.offset === null) return [];
  const start = location.offset - (location.offset % ROW);
  return [{ finding, from: Math.max(0, start - BEFORE), to: start + AFTER }];
}

class Collector implements NarSearch {
  readonly found = new Map<Finding, Surroundings>();
  readonly #wanted: Map<ByteString, readonly Wanted[]>;
  #open: { readonly wanted: readonly Wanted[]; readonly pieces: Buffer[][]; at: number } | null = null;

  constructor(wanted: readonly Wanted[]) {
    this.#wanted = Map.groupBy(wanted, ({ finding }) => finding.location.entry);
  }

  get isDone(): boolean {
    return this.#wanted.size === 0;
  }

  directory(): void {
    // nothing of it is shown
  }

  symlink(): void {
    // its target is the evidence
  }

  file(path: ByteString): void {
    const wanted = this.#wanted.get(path) ?? [];
    this.#open = wanted.length === 0 ? null : { wanted, pieces: wanted.map(() => []), at: 0 };
    this.#wanted.delete(path);
  }

  contents(chunk: Uint8Array, start: number, end: number): void {
    const open = this.#open;
    if (open === null) return;
    for (const [index, { from, to }] of open.wanted.entries()) {
      const first = Math.max(from, open.at);
      const last = Math.min(to, open.at + end - start);
      // a copy: the chunk is not kept for it
      if (first < last) {
        const piece = chunk.subarray(start + first - open.at, start + last - open.at);
        open.pieces[index]?.push(Buffer.from(piece));
      }
    }
    open.at += end - start;
    // what is wanted of a large file may lie at its beginning
    if (open.wanted.every(({ to }) => to <= open.at)) this.fileEnd();
  }

  fileEnd(): void {
    if (this.#open === null) return;
    const { wanted, pieces } = this.#open;
    this.#open = null;
    for (const [index, { finding, from }] of wanted.entries()) {
      const bytes = Buffer.concat(pieces[index] ?? []);
      if (bytes.length > 0) this.found.set(finding, { offset: from, bytes });
    }
  }
}
