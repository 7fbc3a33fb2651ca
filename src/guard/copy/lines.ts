import type { VerdictPolicy } from '../../policy/policy.ts';
import type { Digest } from '../../report/ids.ts';
import { printableText } from '../../report/printable.ts';
import { counted } from '../../report/units.ts';
import { reasonOf, showCommand } from '../hook/lines.ts';
import type { Blocking, Selection } from './selection.ts';

/** Paths named in one line; the rest is counted. */
const NAMED = 5;

/**
 * Why paths stay: each that blocks with its reason, and what stays with it; printable.
 * @param digest names what is recorded of them in the quarantine; null where nothing is
 */
export function keptLines(
  { blocking }: Selection,
  policy: VerdictPolicy,
  verbose: boolean,
  digest: Digest | null,
): readonly string[] {
  return blocking.flatMap(({ standing, dependents }: Blocking) => {
    const path = printableText(standing.storePath);
    const command = digest === null ? null : showCommand(standing, digest);
    const first = [
      `${path} is ${reasonOf(standing, policy)}`,
      ...(command === null ? [] : [`  see ${command}`]),
    ];
    if (dependents.length === 0) return first;
    const named = verbose ? dependents : dependents.slice(0, NAMED);
    const more = dependents.length - named.length;
    const lines = named.map((dependent) => `    ${printableText(dependent)}`);
    return [
      ...first,
      '  and keeps here, for they refer to it:',
      ...lines,
      ...(more > 0 ? [`    and ${more} more`] : []),
    ];
  });
}

/** What became of the paths that may leave. */
export interface Delivery {
  /** How the destination is shown. */
  readonly to: string;
  readonly sent: number;
  /** Paths that were there before. */
  readonly there: number;
}

/** What became of a closure in one line, such as `3 paths sent to https://cache.example; 2 paths left out`. */
export function deliveryLine({ kept }: Selection, { to, sent, there }: Delivery): string {
  const before = there === 0 ? [] : [`${paths(there)} there already`];
  const left = kept.length === 0 ? [] : [`${paths(kept.length)} left out`];
  return [`${paths(sent)} sent to ${printableText(to)}`, ...before, ...left].join('; ');
}

/** What would become of it. */
export function dryRunLine({ free, kept }: Selection, to: string): string {
  const left = kept.length === 0 ? '' : `; ${paths(kept.length)} left out`;
  return `${paths(free.length)} would be sent to ${printableText(to)}${left}`;
}

/** Why nothing was sent. */
export function refusalLine({ free, kept }: Selection, verb: 'sent' | 'would be sent'): string {
  return `nothing ${verb}: ${kept.length} of ${paths(free.length + kept.length)} may not leave`;
}

function paths(count: number): string {
  return counted(count, 'path');
}
