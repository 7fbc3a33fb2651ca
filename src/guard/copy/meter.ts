import type { PathInfo } from '../../nix/database.ts';

/** How far a transfer is. Bytes are those of NARs. */
export interface TransferProgress {
  readonly paths: number;
  /** All that are to be sent. */
  readonly pathsTotal: number;
  readonly bytes: number;
  readonly bytesTotal: number;
  /** Bytes that were sent or are ready to be. */
  readonly staged: number;
}

/** Counts what of a transfer was done, and tells at every change. */
export class TransferMeter {
  readonly #sizes: ReadonlyMap<string, number>;
  readonly #bytesTotal: number;
  readonly #tell: (progress: TransferProgress) => void;
  /** Bytes of paths that were begun. */
  readonly #copied = new Map<string, number>();
  readonly #done = new Set<string>();
  #bytes = 0;
  #staged = 0;

  /** @param infos of all that is to be sent */
  constructor(infos: readonly PathInfo[], tell: (progress: TransferProgress) => void) {
    this.#sizes = new Map(infos.map(({ storePath, narSize }) => [storePath, narSize ?? 0]));
    this.#bytesTotal = [...this.#sizes.values()].reduce((sum, size) => sum + size, 0);
    this.#tell = tell;
  }

  staged({ storePath }: PathInfo): void {
    this.#staged += this.#sizes.get(storePath) ?? 0;
    this.#told();
  }

  /** @param bytes of its NAR so far; null: all of them */
  copied(storePath: string, bytes: number | null): void {
    const size = this.#sizes.get(storePath);
    // what arrived stays so, whatever else Nix says of it
    if (size === undefined || this.#done.has(storePath)) return;
    if (bytes === null) this.#done.add(storePath);
    const now = Math.min(bytes ?? size, size);
    this.#bytes += now - (this.#copied.get(storePath) ?? 0);
    this.#copied.set(storePath, now);
    this.#told();
  }

  #told(): void {
    this.#tell({
      paths: this.#done.size,
      pathsTotal: this.#sizes.size,
      bytes: this.#bytes,
      bytesTotal: this.#bytesTotal,
      staged: this.#staged,
    });
  }
}
