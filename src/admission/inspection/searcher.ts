import type { ContentDigest } from '../../inspect/contentDigest.ts';
import { Window, windowsBytes } from '../../inspect/window.ts';
import { createMatcher } from '../../kernel/create.ts';
import type { Matcher } from '../../kernel/matcher.ts';
import type { NeedleContext } from '../../needles/compile.ts';
import { type Inspection, prepareInspection } from '../../sources/inspection.ts';
import type { DiskSpools } from '../../sources/spool.ts';
import type { InspectionData } from './jobs.ts';

/** A kernel of its own, and what it was prepared to search for last. */
export class Searcher {
  readonly window: Window;
  readonly #depth: number;
  readonly #spools: DiskSpools;
  readonly #digest: ContentDigest | null;
  readonly #matcher: Matcher;
  #inspection: Inspection | null = null;
  #searched = '';

  constructor({ compiled, limits }: InspectionData, spools: DiskSpools, digest: ContentDigest | null) {
    this.#depth = limits.depth;
    this.#spools = spools;
    this.#digest = digest;
    this.#matcher = createMatcher({ size: windowsBytes(limits.depth), compiled });
    this.window = new Window(this.#matcher);
  }

  /** Prepared anew only where something else is searched for than before. @throws NarScanError NEEDLES_TOO_MANY */
  inspection(context: NeedleContext): Inspection {
    const searched = JSON.stringify(context);
    if (this.#inspection === null || searched !== this.#searched) {
      // where it cannot be prepared the kernel holds nothing that may be used
      this.#inspection = null;
      const options = { maxDepth: this.#depth, spools: this.#spools, digest: this.#digest };
      this.#inspection = prepareInspection(this.#matcher, context, options);
      this.#searched = searched;
    }
    return this.#inspection;
  }
}
