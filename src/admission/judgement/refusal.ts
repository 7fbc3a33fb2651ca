import type { Gap } from '../../model/facts.ts';
import type { OutputResult } from '../../model/report.ts';
import type { Strictness } from '../../policy/verdict.ts';
import { blocks, counts } from '../../policy/verdict.ts';
import { deniedText } from '../../quarantine/decisionText.ts';
import { adviceOn } from '../../report/gapAdvice.ts';
import { entriesWorstFirst, kindsWorstFirst } from '../../report/grouping.ts';
import { entryName } from '../../report/place.ts';
import { printableBytes, printableText } from '../../report/printable.ts';
import { remedyOf } from '../../report/remedies.ts';
import { counted } from '../../report/units.ts';
import { ANSWER_LINE_MOST, answerLine } from '../answers.ts';
import type { Ruling } from '../contracts.ts';
import type { Refusal } from '../judge.ts';

/** What the line is about, beside the ruling. */
export interface Refused {
  /** Null: nobody has told its store path. */
  readonly storePath: string | null;
  readonly narHash: string | null;
  /** In the quarantine; null where it is not recorded there. */
  readonly id: string | null;
  /** Where the server is reached; null: nobody has said. */
  readonly publicUrl: string | null;
}

/** Characters of what has no bounds of its own, so that all that matters fits into a line. */
const NAME_MOST = 100;
const LEAK_MOST = 130;
const CHAIN_MOST = 200;
const SAID_MOST = 90;
const URL_MOST = 160;

const HELD_ADVICE =
  'if it is a home of who built this, mend the build; else ask a reviewer to settle it for good';

/** The status and the one line that whoever sent it reads: what, where, how much more, and what to do about it. */
export function refusalAnswer(ruling: Ruling, refused: Refused, policy: Strictness): Refusal['answer'] {
  const { what, fix } = saidOf(ruling, refused, policy);
  const { storePath, id } = refused;
  const name =
    storePath === null ? '' : `${cropped(storePath.slice(storePath.lastIndexOf('/') + 1), NAME_MOST)} is `;
  const page = id === null ? '' : `; quarantine ${id}, ${pageOf(id, refused)}`;
  const line = `nar-scan: ${name}${what}${page}`;
  const whole = fix === null ? line : `${line}; fix: ${fix}`;
  const isForbidden = ruling.standing !== 'incomplete';
  return {
    status: isForbidden ? 403 : 422,
    // half of an advice is none
    line: answerLine(whole.length <= ANSWER_LINE_MOST ? whole : line),
  };
}

/** One line for whoever runs the server: the same without what to do about it. */
export function againstText(ruling: Ruling, narHash: string | null, policy: Strictness): string {
  return answerLine(saidOf(ruling, { narHash }, policy).what);
}

function saidOf(
  { standing, result, decision }: Ruling,
  { narHash }: Pick<Refused, 'narHash'>,
  policy: Strictness,
): { readonly what: string; readonly fix: string | null } {
  if (decision !== null && !('covers' in decision))
    return { what: deniedText(decision, (text) => cropped(text, SAID_MOST)), fix: null };
  const gaps = result.gaps.filter(counts);
  const findings = result.findings.filter((finding) => blocks(finding, policy));
  const [entry] = entriesWorstFirst(findings);
  const [finding] = kindsWorstFirst(entry?.findings ?? [])[0] ?? [];
  if (finding !== undefined) {
    const { rule, carrier, home, alias, encoding, location } = finding;
    const leak = alias ?? home;
    const leaked = leak === null ? rule : `${rule} ${cropped(printableBytes(leak), LEAK_MOST)}`;
    const written = encoding === 'plain' ? carrier : `${carrier}, in ${encoding}`;
    const more = findings.reduce((sum, each) => sum + 1 + each.more, -1);
    const isHeld = standing === 'held';
    return {
      what: `${isHeld ? 'held for review' : standing}: ${leaked} in ${placeOf(location)} (${written})${moreOf(more, gaps.length)}`,
      fix: isHeld ? HELD_ADVICE : remedyOf(finding),
    };
  }
  const gap = gaps.find(({ reason }) => reason === 'malformed-nar') ?? gaps[0];
  if (gap === undefined) return { what: 'incomplete: it could not be read as a whole', fix: null };
  const is =
    narHash === null && gap.reason === 'malformed-nar' ? 'no NAR that can be admitted' : 'incomplete';
  return { what: `${is}: ${gapText(gap)}${moreOf(0, gaps.length - 1)}`, fix: adviceOn(gap) };
}

function gapText({ reason, location, detail }: Gap): string {
  return `${reason} in ${placeOf(location)} (${cropped(printableText(detail), LEAK_MOST)})`;
}

function moreOf(findings: number, gaps: number): string {
  const parts = [
    ...(findings === 0 ? [] : [counted(findings, 'more finding')]),
    ...(gaps === 0 ? [] : [counted(gaps, findings === 0 ? 'more gap' : 'gap')]),
  ];
  return parts.length === 0 ? '' : `, and ${parts.join(' and ')}`;
}

/** The entry and what lies in it, from outside in, in characters that every client shows. */
function placeOf({ entry, container }: OutputResult['findings'][number]['location']): string {
  return cropped([entryName(entry), ...container.map(printableBytes)].join(' > '), CHAIN_MOST);
}

function pageOf(id: string, { publicUrl }: Refused): string {
  const page = `/review/outputs/${id}`;
  // it would be taken for a path on the client's own machine
  return publicUrl === null || publicUrl.length > URL_MOST ? `${page} of this cache` : `${publicUrl}${page}`;
}

/** Printable text without its middle: a path is told by both of its ends. */
function cropped(text: string, most: number): string {
  const shown = printableText(text);
  if (shown.length <= most) return shown;
  const half = (most - 3) / 2;
  return `${shown.slice(0, Math.ceil(half))}...${shown.slice(shown.length - Math.floor(half))}`;
}
