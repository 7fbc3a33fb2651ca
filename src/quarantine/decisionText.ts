import { printableText } from '../report/printable.ts';
import type { Denial, Release } from './decision.ts';

/** Who denied, with what `quarantine lift` needs, and why. @param shown makes a text printable */
export function deniedText(denial: Denial, shown = printableText): string {
  return `denied by ${shown(denial.actor)} (${recordText(denial)}): ${shown(denial.reason)}`;
}

/** Who released, until when, with what `quarantine lift` needs, and why. */
export function releasedText(release: Release): string {
  const { actor, reason, expires } = release;
  const until = expires === null ? '' : ` until ${new Date(expires).toISOString()}`;
  return `released by ${printableText(actor)}${until} (${recordText(release)}): ${printableText(reason)}`;
}

function recordText({ sequence, trail }: Denial | Release): string {
  return `record ${sequence}${trail === undefined ? '' : ` of ${printableText(trail)}`}`;
}
