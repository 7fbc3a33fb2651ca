import { blocks, counts } from '../../policy/verdict.ts';
import type { VerdictPolicy } from '../../policy/policy.ts';
import { deniedText } from '../../quarantine/decisionText.ts';
import { entriesWorstFirst } from '../../report/grouping.ts';
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
export function lineOf({ storePath, fate, blockers }: Ruling, policy: VerdictPolicy): string {
  const [first, ...others] = blockers;
  const shown = printableText(storePath);
  if (first === undefined) return `${SAID[fate]}: ${shown}: a path that it refers to is not valid`;
  const more = others.length === 0 ? '' : `; and for ${others.length} more of its closure`;
  if (first.storePath === storePath) return `${SAID[fate]}: ${shown} is ${reasonOf(first, policy)}${more}`;
  const blocker = printableText(first.storePath);
  return `${SAID[fate]}: ${shown}: it refers to ${blocker}, which is ${reasonOf(first, policy)}${more}`;
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
