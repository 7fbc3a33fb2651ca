import type { VerdictPolicy } from '../../policy/policy.ts';
import { printableText } from '../../report/printable.ts';
import { counted } from '../../report/units.ts';
import { reasonOf } from '../hook/lines.ts';
import type { Blocking, Selection } from './selection.ts';

/** Paths named in one line; the rest is counted. */
const NAMED = 5;

/** Why paths stay: each that blocks with its reason, and what stays with it; printable. */
export function keptLines(
  { blocking }: Selection,
  policy: VerdictPolicy,
  verbose: boolean,
): readonly string[] {
  return blocking.flatMap(({ standing, dependents }: Blocking) => {
    const path = printableText(standing.storePath);
    const first = `${path} is ${reasonOf(standing, policy)}`;
    if (dependents.length === 0) return [first];
    const named = verbose ? dependents : dependents.slice(0, NAMED);
    const more = dependents.length - named.length;
    const lines = named.map((dependent) => `    ${printableText(dependent)}`);
    return [
      first,
      '  and keeps here, for they refer to it:',
      ...lines,
      ...(more > 0 ? [`    and ${more} more`] : []),
    ];
  });
}

/** What became of a closure in one line, such as `3 paths sent to https://cache.example; 2 stay here`. */
export function summaryLine(
  { free, kept }: Selection,
  what: { readonly refused: boolean; readonly verb: string; readonly to: string },
): string {
  const paths = (count: number): string => counted(count, 'path');
  if (what.refused) {
    const all = free.length + kept.length;
    return `nothing ${what.verb}: ${kept.length} of ${paths(all)} may not leave`;
  }
  const left = kept.length === 0 ? '' : `; ${paths(kept.length)} left out`;
  return `${paths(free.length)} ${what.verb} to ${printableText(what.to)}${left}`;
}
