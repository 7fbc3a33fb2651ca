import type { Rule } from '../model/facts.ts';
import { dayOf } from './decide.ts';
import type { Policy, Waiver } from './policy.ts';
import { isExpired } from './waivers.ts';

/** Rules whose findings never name a home, or a physical store path. */
const WITHOUT_HOME: ReadonlySet<Rule | null> = new Set<Rule>(['build-dir']);
const WITHOUT_ALIAS: ReadonlySet<Rule | null> = new Set<Rule>([
  'root-home',
  'placeholder-home',
  'foreign-home',
  'build-dir',
]);

/** What is no fault of a policy, but can hardly be meant: waivers that cover nothing, whatever is scanned. */
export function policyDoubts({ verdict }: Policy, now: Date): readonly string[] {
  const seen = new Map<string, string>();
  return verdict.waivers.flatMap((waiver) => {
    const doubts = waiverDoubts(waiver);
    if (isExpired(waiver, dayOf(now))) doubts.push(`expired ${waiver.expires}`);
    const { place, because: _because, by: _by, expires: _expires, ...what } = waiver;
    const key = JSON.stringify(what);
    const first = seen.get(key);
    if (first === undefined) seen.set(key, place);
    else doubts.push(`covers the same as the one at ${first}`);
    return doubts.map((doubt) => `${place}: ${doubt}`);
  });
}

function waiverDoubts({ rule, entry, home, alias }: Waiver): string[] {
  const doubts: string[] = [];
  if (entry !== null && !mayBeEntry(entry)) {
    doubts.push(`entry '${entry}' matches nothing: a path in the output, such as bin/hello, is meant`);
  }
  for (const [name, glob] of [['home', home] as const, ['alias', alias] as const]) {
    if (glob !== null && !/^(?:[/*?\\]|[A-Za-z]:)/.test(glob)) {
      doubts.push(`${name} '${glob}' matches nothing: an absolute path is meant`);
    }
  }
  if (home !== null && WITHOUT_HOME.has(rule)) doubts.push(`findings of ${rule} have no home`);
  if (alias !== null && WITHOUT_ALIAS.has(rule)) doubts.push(`findings of ${rule} have no alias`);
  return doubts;
}

/** Paths in an output have no slash at either end, and no empty, `.` or `..` component. */
function mayBeEntry(glob: string): boolean {
  return glob === '' || glob.split('/').every((part) => part !== '' && part !== '.' && part !== '..');
}
