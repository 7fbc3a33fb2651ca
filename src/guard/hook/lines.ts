import { blocks, counts } from '../../policy/verdict.ts';
import type { VerdictPolicy } from '../../policy/policy.ts';
import { deniedText } from '../../quarantine/decisionText.ts';
import { quarantineId } from '../../quarantine/store/place.ts';
import { entriesWorstFirst } from '../../report/grouping.ts';
import type { Digest } from '../../report/ids.ts';
import { printableBytes, printableText } from '../../report/printable.ts';
import type { PathStanding } from '../standing.ts';
import type { Fate } from './modes.ts';
import type { Ruling } from './ruling.ts';

/** Characters of one text of a line: `nix build` shows it beside much else. */
const SHOWN = 120;

const NOT_WHOLE = 'it could not be read as a whole, and has no NarHash';

const SAID: Readonly<Record<Fate, string>> = {
  pass: 'passed on',
  withhold: 'withheld',
  reject: 'rejected',
};

/** One line on an output that is not clean, or that something in its closure keeps here; printable. */
export function lineOf(ruling: Ruling, policy: VerdictPolicy): string {
  const { storePath, fate, blockers } = ruling;
  const verb = blockers[0]?.storePath === storePath ? ' is' : ':';
  return `${SAID[fate]}: ${printableText(storePath)}${verb} ${becauseOf(ruling, policy)}`;
}

/** Why an output is not passed on: what it is, or what it refers to; printable. */
export function becauseOf({ storePath, blockers }: Ruling, policy: VerdictPolicy): string {
  const [first, ...others] = blockers;
  if (first === undefined) return 'a path that it refers to is not valid';
  const more = others.length === 0 ? '' : `; and for ${others.length} more of its closure`;
  const reason = `${reasonOf(first, policy)}${more}`;
  return first.storePath === storePath
    ? reason
    : `it refers to ${printableText(first.storePath)}, which is ${reason}`;
}

/** A path that the quarantine records with what was found in it. */
type Recorded = PathStanding & {
  readonly facts: NonNullable<PathStanding['facts']>;
  readonly result: NonNullable<PathStanding['result']>;
};

/**
 * Whether a path that blocks is recorded in the quarantine. What is denied or could not be scanned is not, nor that
 * in which nothing was found, because something went wrong with the run: there is nothing to look at or to release.
 */
export function isRecorded(known: PathStanding): known is Recorded {
  const { standing, facts, result, blocking } = known;
  const isHeld = standing === 'contaminated' || standing === 'incomplete';
  return isHeld && facts !== null && result !== null && blocking.length > 0;
}

/** What shows all that was found in a path that is recorded in the quarantine; null for one that is not. */
export function showCommand(known: PathStanding, digest: Digest): string | null {
  if (!isRecorded(known)) return null;
  return showCommandOf(quarantineId(known.storePath, known.facts.narHash, digest));
}

/** @param id of a record of the quarantine */
export function showCommandOf(id: string): string {
  return `nar-scan quarantine show ${id}`;
}

/** Why a path is neither clean nor released: its standing with the worst of what blocks it; printable. */
export function reasonOf({ standing, denial, result, narHash }: PathStanding, policy: VerdictPolicy): string {
  if (denial !== null) return deniedText(denial, cropped);
  if (result === null) return `${standing}: it could not be scanned`;
  const findings = result.findings.filter((finding) => blocks(finding, policy));
  const gaps = result.gaps.filter(counts);
  const [worst] = entriesWorstFirst(findings);
  const finding = worst?.findings[0];
  if (finding !== undefined) {
    const leak = finding.home ?? finding.alias;
    const what = leak === null ? finding.rule : `${finding.rule} ${cropped(printableBytes(leak))}`;
    const entry = finding.location.entry;
    const where = entry === '' ? '' : ` in ${cropped(printableBytes(entry))}`;
    const total = findings.reduce((sum, { more }) => sum + 1 + more, 0);
    return `${standing}: ${what}${where}${andMore(total - 1)}`;
  }
  const [gap] = gaps;
  if (gap === undefined) return narHash === null ? `${standing}: ${NOT_WHOLE}` : standing;
  const entry = gap.location.entry;
  return `${standing}: ${gap.reason}${entry === '' ? '' : ` ${cropped(printableBytes(entry))}`}${andMore(gaps.length - 1)}`;
}

function andMore(count: number): string {
  return count === 0 ? '' : `, and ${count} more`;
}

function cropped(text: string): string {
  const shown = printableText(text);
  return shown.length <= SHOWN ? shown : `${shown.slice(0, SHOWN)}…`;
}
