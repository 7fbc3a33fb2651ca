import { printableText } from '../report/printable.ts';
import type { Denial, Release } from './decision.ts';

/** Who denied, with what `quarantine lift` needs, and why. @param shown makes a text printable */
export function deniedText({ actor, sequence, reason }: Denial, shown = printableText): string {
  return `denied by ${shown(actor)} (record ${sequence}): ${shown(reason)}`;
}

/** Who released, until when, with what `quarantine lift` needs, and why. */
export function releasedText({ actor, sequence, reason, expires }: Release): string {
  const until = expires === null ? '' : ` until ${new Date(expires).toISOString()}`;
  return `released by ${printableText(actor)}${until} (record ${sequence}): ${printableText(reason)}`;
}
