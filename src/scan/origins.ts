import { heldKeys, soughtKey } from '../inspect/literal.ts';
import { byteStringOfText, displayText } from '../model/bytes.ts';
import { NarScanError } from '../model/errors.ts';
import type { OutputFacts, TracedFacts } from '../model/facts.ts';
import { LIMITS } from '../model/limits.ts';
import type { PathInfo } from '../nix/database.ts';
import { type Derivation, outputPathsOf } from '../nix/derivation.ts';
import { readDerivation } from '../nix/derivationFile.ts';
import { buildInputsOf, derivationAt } from '../sources/derivationSources.ts';
import type { StoreDirs } from '../sources/target.ts';
import { storePathTarget } from './closure.ts';
import { registered } from './registered.ts';
import { type Resolved, withInfo } from './targets.ts';

/** Where derivations are found, and what scans sources. */
interface OriginRequest {
  readonly stores: StoreDirs;
  readonly stateDirs: readonly string[];
  /** The file of a derivation that was named. */
  readonly drv: string | null;
  /** The store path of one that the environment names. */
  readonly drvPath: string;
  /** Derivers that the Nix database has, by output. */
  readonly derivers: ReadonlyMap<string, string>;
  /** Facts of a source, or null where they are not all there; one at a time. */
  readonly scan: (source: Resolved) => Promise<OutputFacts | null>;
}

/** The texts of a source, see {@link heldKeys}. */
type Held = ReadonlySet<string>;

/** Finds in the sources of a build what stands in its outputs. */
export class Origins {
  readonly #request: OriginRequest;
  readonly #named: readonly Derivation[];
  readonly #held = new Map<string, Held>();
  #count = 0;

  /** @throws NarScanError DERIVATION_UNREADABLE, DERIVATION_INVALID, of one that was named */
  constructor(request: OriginRequest) {
    this.#request = request;
    const { drv, drvPath, stores } = request;
    const ofEnvironment = derivationAt(byteStringOfText(drvPath), stores);
    this.#named = [
      ...(drv === null ? [] : [readDerivation(byteStringOfText(drv))]),
      ...(ofEnvironment === null ? [] : [ofEnvironment]),
    ];
  }

  /**
   * Refuses a derivation that was named and makes none of the targets, as far as its outputs are known.
   * @throws NarScanError DERIVATION_INVALID
   */
  refuseStranger(targets: readonly Resolved[]): void {
    const { drv } = this.#request;
    const [derivation] = this.#named;
    if (drv === null || derivation === undefined) return;
    const made = outputPathsOf(derivation);
    const strange = ({ storePath }: Resolved): boolean =>
      storePath !== null && !made.includes(byteStringOfText(storePath));
    if (made.length < derivation.outputs.size || targets.length === 0 || !targets.every(strange)) return;
    const outputs = made.map(displayText).join(' and ');
    throw new NarScanError('DERIVATION_INVALID', `'${drv}' makes none of the targets, but ${outputs}`);
  }

  /**
   * Names, at each foreign home whose text stands already in a source that went into the build, the
   * first such source in the order of their paths. What cannot be read of derivations and sources
   * names nothing. Severities stay as they are: what a source means is the policy's.
   */
  async trace(facts: OutputFacts): Promise<TracedFacts> {
    const sought = new Set(facts.findings.flatMap((finding) => soughtKey(finding) ?? []));
    const derivation = sought.size === 0 || facts.storePath === null ? null : this.#maker(facts.storePath);
    if (derivation === null) return facts;
    const found = new Map<string, string>();
    for (const source of await this.#sourcesOf(derivation)) {
      if (found.size === sought.size) break;
      const held = await this.#heldBy(source);
      for (const key of sought) if (!found.has(key) && held.has(key)) found.set(key, source.storePath);
    }
    const findings = facts.findings.map((finding) => {
      const source = found.get(soughtKey(finding) ?? '');
      return source === undefined ? finding : { ...finding, source };
    });
    return { ...facts, findings };
  }

  /** The derivation that has this path among its outputs: a deriver that does not name it made it otherwise. */
  #maker(storePath: string): Derivation | null {
    const output = byteStringOfText(storePath);
    const makes = (derivation: Derivation): boolean => outputPathsOf(derivation).includes(output);
    const named = this.#named.find(makes);
    if (named !== undefined) return named;
    const deriver = this.#request.derivers.get(storePath) ?? '';
    const derivation = derivationAt(byteStringOfText(deriver), this.#request.stores);
    return derivation !== null && makes(derivation) ? derivation : null;
  }

  /** What is registered of the sources of a build that are valid, in ascending order of their paths. */
  async #sourcesOf(derivation: Derivation): Promise<readonly PathInfo[]> {
    const inputs = buildInputsOf(derivation, this.#request.stores);
    const [added, fetched] = [inputs.added.map(displayText), inputs.fetched.map(displayText)];
    const infos = await this.#registered([...added, ...fetched]);
    const isFixed = (path: string): boolean => (infos.get(path)?.ca ?? null) !== null;
    // what another build made comes as a source, too (builtins.storePath); but it has a deriver
    const isOwn = (path: string): boolean => isFixed(path) && infos.get(path)?.deriver === null;
    const sources = new Set([...added.filter(isOwn), ...fetched.filter(isFixed)]);
    return [...sources].toSorted().flatMap((path) => infos.get(path) ?? []);
  }

  async #registered(storePaths: readonly string[]): Promise<ReadonlyMap<string, PathInfo>> {
    try {
      return await registered(this.#request.stateDirs, storePaths);
    } catch (error) {
      if (error instanceof NarScanError) return new Map();
      throw error;
    }
  }

  async #heldBy(info: PathInfo): Promise<Held> {
    const { storePath } = info;
    const known = this.#held.get(storePath);
    if (known !== undefined) return known;
    const { stores, scan } = this.#request;
    const facts = await scan(withInfo(storePathTarget(storePath, stores), info));
    const held = new Set(facts?.findings.flatMap(heldKeys));
    this.#count += held.size;
    if (this.#count > LIMITS.sourceLiterals) {
      this.#held.clear();
      this.#count = held.size;
    }
    this.#held.set(storePath, held);
    return held;
  }
}
