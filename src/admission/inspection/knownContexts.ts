import type { NeedleContext } from '../../needles/compile.ts';
import { fingerprint } from '../../report/fingerprint.ts';
import { needleContext } from '../../scan/scan.ts';
import type { ServerSettings } from '../settings.ts';

/** Sets of homes whose context is remembered; there is about one for each token. */
const CONTEXTS = 256;

/** What this machine tells, beside what is named. */
type Told = Pick<NeedleContext, 'homes' | 'aliases'>;

/** What is searched for everywhere under a set of homes. */
interface Known {
  readonly context: Promise<NeedleContext>;
  /** Its fingerprint, once somebody has asked. */
  rules: Promise<string> | null;
}

/** What is searched for under each set of homes: those, and all that this machine has told since the server runs. */
export class KnownContexts {
  readonly #settings: Pick<ServerSettings, 'storeDir' | 'hostHomes' | 'policy'>;
  readonly #known = new Map<string, Known>();
  #told: Told = { homes: [], aliases: [] };

  constructor(settings: Pick<ServerSettings, 'storeDir' | 'hostHomes' | 'policy'>) {
    this.#settings = settings;
  }

  /** @throws NarScanError as `needleContext` */
  async of(homes: readonly string[]): Promise<NeedleContext> {
    return await this.#knownOf(homes).context;
  }

  /** The fingerprint of all that facts under these homes depend on. @throws NarScanError as {@link of} */
  async rules(homes: readonly string[]): Promise<string> {
    const known = this.#knownOf(homes);
    known.rules ??= this.#rulesOf(known);
    return await known.rules;
  }

  /**
   * Asks this machine again: it may have users and places of its store that it did not have before. What is searched
   * for only ever grows by that, and stays as it is while it is asked.
   *
   * @throws NarScanError HOMES_UNREADABLE
   */
  async askAgain(): Promise<void> {
    this.#told = withTold(await this.#ask([]), this.#told);
    for (const [key, known] of this.#known) {
      const before = await known.context.catch(() => null);
      const context = before && withTold(before, this.#told);
      // whoever has its rules already keeps them where nothing is new
      if (context !== before && context !== null && this.#known.get(key) === known)
        this.#known.set(key, { context: Promise.resolve(context), rules: null });
    }
  }

  #knownOf(homes: readonly string[]): Known {
    const sorted = [...new Set(homes)].toSorted();
    const key = sorted.join('\n');
    const before = this.#known.get(key);
    if (before !== undefined) return before;
    const context = this.#ask(sorted).then((found) => withTold(found, this.#told));
    // what failed once may be mended
    context.catch(() => this.#known.delete(key));
    for (const oldest of this.#known.keys()) {
      if (this.#known.size < CONTEXTS) break;
      this.#known.delete(oldest);
    }
    const known: Known = { context, rules: null };
    this.#known.set(key, known);
    return known;
  }

  #ask(homes: readonly string[]): Promise<NeedleContext> {
    const { storeDir, hostHomes, policy } = this.#settings;
    const { facts } = policy;
    const request = { storeDir, hostHomes, homes: [...facts.homes, ...homes], aliases: facts.aliases };
    return needleContext({ ...request, edits: facts.edits });
  }

  async #rulesOf(known: Known): Promise<string> {
    try {
      return (await fingerprint(known.context, this.#settings.policy.facts.limits)).rules;
    } catch (error) {
      known.rules = null;
      throw error;
    }
  }
}

/** With all that was told; the very same where that is nothing new. */
function withTold<T extends Told>(known: T, { homes, aliases }: Told): T {
  const moreHomes = homes.filter((home) => !known.homes.includes(home));
  const moreAliases = aliases.filter((alias) => !known.aliases.includes(alias));
  if (moreHomes.length + moreAliases.length === 0) return known;
  return { ...known, homes: [...known.homes, ...moreHomes], aliases: [...known.aliases, ...moreAliases] };
}
