import { exactText } from '../model/bytes.ts';
import type { OutputFacts } from '../model/facts.ts';
import { LIMITS } from '../model/limits.ts';
import { refuseAlias } from '../needles/aliases.ts';
import type { NeedleContext } from '../needles/compile.ts';
import { parseStorePathName } from '../nix/storePath.ts';

/**
 * The aliases of the store that outputs have shown by a hash part of their own or of a reference.
 * Only what is called as the store dir is (`/gpfs/u17/q/nix/store`): any directory can stand before
 * a hash part (`/var/log/nix/drvs/<hash>-x.drv`), and would then be found in everything.
 */
export class ShownAliases {
  readonly #context: NeedleContext;
  readonly #name: string;
  #all: readonly string[] = [];

  constructor(context: NeedleContext) {
    this.#context = context;
    this.#name = context.storeDir.slice(context.storeDir.lastIndexOf('/'));
  }

  /** In the order in which they were shown. */
  get all(): readonly string[] {
    return this.#all;
  }

  /** @param hashParts of the output and its references */
  add({ findings, storePath }: OutputFacts, hashParts: readonly string[]): void {
    const own =
      storePath === null ? null : parseStorePathName(storePath.slice(storePath.lastIndexOf('/') + 1));
    for (const { rule, severity, alias, hashPart } of findings) {
      if (rule !== 'store-alias' || severity !== 'error' || alias === null || hashPart === null) continue;
      if (hashPart !== own?.hashPart && !hashParts.includes(hashPart)) continue;
      const path = exactText(alias);
      if (path !== null && this.#isNew(path)) this.#all = [...this.#all, path];
    }
  }

  #isNew(path: string): boolean {
    const { aliases, storeDir } = this.#context;
    if (this.#all.length >= LIMITS.shownAliases || !path.endsWith(this.#name)) return false;
    return !this.#all.includes(path) && !aliases.includes(path) && refuseAlias(path, storeDir) === null;
  }
}
