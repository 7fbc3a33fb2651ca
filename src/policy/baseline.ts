import type { ByteString } from '../model/bytes.ts';
import { byteStringOfText } from '../model/bytes.ts';
import type { Finding, Gap } from '../model/facts.ts';
import type { OutputResult } from '../model/report.ts';
import { dayOf } from './decide.ts';
import { exactGlob } from './glob.ts';
import type { Waiver } from './policy.ts';
import { blocks, counts, type Strictness } from './verdict.ts';
import { isOfCarrier, OutputWaivers, withoutHash } from './waivers.ts';

/**
 * Gathers waivers for all that makes outputs contaminated or incomplete today, each as narrow as
 * the next build of the same output lets it be: the hash of its store path changes, offsets may.
 */
export class Baseline {
  readonly #known: readonly Waiver[];
  readonly #strictness: Strictness;
  readonly #now: Date;
  readonly #waivers = new Map<string, Waiver>();

  /** @param known waivers of the file that is added to */
  constructor(known: readonly Waiver[], strictness: Strictness, now: Date) {
    this.#known = known;
    this.#strictness = strictness;
    this.#now = now;
  }

  /** Takes what the policy of the run says of one output. */
  take(result: OutputResult): void {
    const known = new OutputWaivers(this.#known, result, dayOf(this.#now));
    const output = nameGlob(result);
    for (const finding of result.findings) {
      if (!blocks(finding, this.#strictness) || known.ofFinding(finding) !== null) continue;
      this.#add({ ...this.#blank(output, finding), ...ofFinding(finding) });
    }
    for (const gap of result.gaps) {
      if (!counts(gap) || !canBeWaived(gap) || known.ofGap(gap) !== null) continue;
      this.#add({ ...this.#blank(output, gap), reason: gap.reason });
    }
  }

  /** What the file lacks, in an order that does not depend on that of the outputs. */
  get waivers(): readonly Waiver[] {
    return [...this.#waivers].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, waiver]) => waiver);
  }

  #add(waiver: Waiver): void {
    const { output, entry, rule, reason, ...rest } = waiver;
    this.#waivers.set(JSON.stringify([output, rule, reason, entry, rest]), waiver);
  }

  #blank(output: string, { location }: Finding | Gap): Waiver {
    return {
      place: '',
      rule: null,
      reason: null,
      carrier: null,
      output,
      entry: exactGlob(location.entry),
      container: location.container.map(exactGlob),
      home: null,
      alias: null,
      blake3: null,
      because: `baseline of ${dayOf(this.#now)}: was there before the check`,
      expires: null,
      by: null,
    };
  }
}

/** Whether a person can answer for what was not inspected: not for a fault of the program or a run that was ended. */
export function canBeWaived({ reason }: Pick<Gap, 'reason'>): boolean {
  return reason !== 'internal' && reason !== 'limit-time';
}

function ofFinding(finding: Finding): Pick<Waiver, 'rule' | 'carrier' | 'home' | 'alias'> {
  const { rule, carrier, home, alias } = finding;
  return {
    rule,
    carrier: isOfCarrier(finding, carrier) ? carrier : null,
    home: globOrNull(home),
    alias: globOrNull(alias),
  };
}

function globOrNull(value: ByteString | null): string | null {
  return value === null ? null : exactGlob(value);
}

function nameGlob({ target, storePath }: OutputResult): string {
  const name = storePath === null ? target : withoutHash(storePath.slice(storePath.lastIndexOf('/') + 1));
  return exactGlob(byteStringOfText(name));
}
