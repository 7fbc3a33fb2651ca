import { byteStringOfText, type ByteString } from '../model/bytes.ts';
import type { Finding, Gap, OutputFacts } from '../model/facts.ts';
import { CARRIER_GROUPS } from './groups.ts';
import { compileGlob, type Glob, literalOf } from './glob.ts';
import type { Waiver } from './policy.ts';

/** Which output facts are about. */
export type OutputName = Pick<OutputFacts, 'target' | 'storePath'>;

const TEXT: ReadonlySet<string> = new Set(CARRIER_GROUPS.bytes);

interface Compiled {
  readonly waiver: Waiver;
  readonly order: number;
  readonly output: Glob | null;
  readonly entry: Glob | null;
  readonly container: ((names: readonly ByteString[]) => boolean) | null;
  readonly home: Glob | null;
  readonly alias: Glob | null;
}

/** Compiled waivers of lists that were seen before: each output asks again. */
const compiledLists = new WeakMap<readonly Waiver[], readonly Compiled[]>();

/** The waivers that may cover facts of one output. */
export class OutputWaivers {
  /** By rule or reason and exact entry, and by rule or reason alone. */
  readonly #byEntry = Map.groupBy<string, Compiled>([], () => '');
  readonly #others = Map.groupBy<string, Compiled>([], () => '');
  readonly #about = new Set<Waiver>();
  readonly #used = new Set<Waiver>();

  /** @param today `2027-01-31` */
  constructor(waivers: readonly Waiver[], output: OutputName, today: string) {
    const names = namesOf(output);
    for (const compiled of compiledList(waivers)) {
      const { waiver } = compiled;
      if (isExpired(waiver, today)) continue;
      if (compiled.output !== null && !names.some(compiled.output)) continue;
      this.#about.add(waiver);
      const kind = waiver.rule ?? waiver.reason ?? '';
      const entry = waiver.entry === null ? null : literalOf(waiver.entry);
      const [index, key] = entry === null ? [this.#others, kind] : [this.#byEntry, `${kind}\n${entry}`];
      const list = index.get(key);
      if (list === undefined) index.set(key, [compiled]);
      else list.push(compiled);
    }
  }

  /** Waivers that have not expired and name no other output. */
  get about(): ReadonlySet<Waiver> {
    return this.#about;
  }

  /** Waivers that covered something. */
  get used(): ReadonlySet<Waiver> {
    return this.#used;
  }

  /** The first waiver of the file that covers a finding; all that do are used. */
  ofFinding(finding: Finding): Waiver | null {
    const { rule, home, alias } = finding;
    return this.#first(rule, finding, (compiled) => {
      const { carrier } = compiled.waiver;
      if (carrier !== null && !isOfCarrier(finding, carrier)) return false;
      if (compiled.home !== null && (home === null || !compiled.home(home))) return false;
      return compiled.alias === null || (alias !== null && compiled.alias(alias));
    });
  }

  /** The first waiver of the file that covers a gap; all that do are used. */
  ofGap(gap: Gap): Waiver | null {
    return this.#first(gap.reason, gap, () => true);
  }

  #first(kind: string, { location }: Finding | Gap, fits: (compiled: Compiled) => boolean): Waiver | null {
    // mostly none, and facts by the ten thousand
    if (this.#about.size === 0) return null;
    let first: Compiled | null = null;
    for (const list of [this.#byEntry.get(`${kind}\n${location.entry}`), this.#others.get(kind)]) {
      for (const compiled of list ?? []) {
        if (compiled.entry !== null && !compiled.entry(location.entry)) continue;
        if (compiled.container !== null && !compiled.container(location.container)) continue;
        const { blake3 } = compiled.waiver;
        if (blake3 !== null && blake3 !== location.digest) continue;
        if (!fits(compiled)) continue;
        this.#used.add(compiled.waiver);
        if (first === null || compiled.order < first.order) first = compiled;
      }
    }
    return first?.waiver ?? null;
  }
}

/** Whether a waiver covers nothing any more on a day. */
export function isExpired({ expires }: Waiver, today: string): boolean {
  return expires !== null && expires <= today;
}

/**
 * Leaks that were only counted are told with one of a field, but lie in text for all that is known:
 * a waiver for the field says nothing of them.
 */
export function isOfCarrier({ carrier, more }: Finding, wanted: string): boolean {
  return carrier === wanted && (more === 0 || TEXT.has(carrier));
}

/** What the glob of a waiver may mean of an output. */
function namesOf({ target, storePath }: OutputName): readonly ByteString[] {
  const names = [target];
  if (storePath !== null) {
    const last = storePath.slice(storePath.lastIndexOf('/') + 1);
    names.push(storePath, last, withoutHash(last));
  }
  return names.map(byteStringOfText);
}

/** `<hash>-hello-2.12` → `hello-2.12`: what stays the same from build to build. */
export function withoutHash(name: string): string {
  return /^[0-9a-z]{32}-./.test(name) ? name.slice(33) : name;
}

function compiledList(waivers: readonly Waiver[]): readonly Compiled[] {
  const known = compiledLists.get(waivers);
  if (known !== undefined) return known;
  const compiled = waivers.map((waiver, order) => ({
    waiver,
    order,
    output: globOrNull(waiver.output),
    entry: globOrNull(waiver.entry),
    container: waiver.container === null ? null : chain(waiver.container),
    home: globOrNull(waiver.home),
    alias: globOrNull(waiver.alias),
  }));
  compiledLists.set(waivers, compiled);
  return compiled;
}

function globOrNull(text: string | null): Glob | null {
  return text === null ? null : compileGlob(text);
}

/** Matches member names from outside in. The chain is as short as containers are opened deep. */
function chain(globs: readonly string[]): (names: readonly ByteString[]) => boolean {
  const compiled = globs.map((text) => (text === '**' ? null : compileGlob(text)));
  return (names) => {
    let reached = new Set([0]);
    for (const name of names) {
      const next = new Set<number>();
      for (const at of skipping(compiled, reached)) {
        const glob = compiled[at];
        if (glob === null) next.add(at);
        else if (glob?.(name) === true) next.add(at + 1);
      }
      reached = next;
    }
    return skipping(compiled, reached).has(compiled.length);
  };
}

/** `**` may be no name at all. */
function skipping(compiled: readonly (Glob | null)[], places: ReadonlySet<number>): ReadonlySet<number> {
  const all = new Set(places);
  for (const at of all) if (compiled[at] === null) all.add(at + 1);
  return all;
}
