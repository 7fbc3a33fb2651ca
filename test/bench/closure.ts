import { ManyPaths } from '../support/manyPaths.ts';
import { alternate, type Command, median, runOnce } from './timing.ts';

/** A closure all of which is remembered. */
const PATHS = 2000;
const PAIRS = 11;
/** Seconds that the whole process may take. */
const MOST = 0.6;

/** `nar-scan copy --dry-run` of a closure that is known, beside what Nix takes to name its paths. */
export async function benchClosure(narScan: string) {
  using store = new ManyPaths();
  const last = store.add(PATHS);
  const variables = Object.entries(store.environment).map(([name, value]) => `${name}=${value}`);
  const command = (...args: readonly string[]): Command => ({
    program: 'env',
    args: [...variables, ...args],
    statuses: [0],
  });
  const subject = command(narScan, 'copy', '--to', 'file:///nowhere', '--dry-run', last);
  await runOnce(subject);
  const { peakBytes } = await runOnce(subject, true);
  const seconds = await alternate(command('nix-store', '--query', '--requisites', last), subject, PAIRS);
  const [peerMedian, subjectMedian] = [median(seconds.peer), median(seconds.subject)];
  return {
    name: 'closure',
    what: `\`copy --dry-run\` of ${PATHS.toLocaleString('en-US')} paths, all remembered`,
    peer: 'nix-store -qR',
    peerMedian,
    subjectMedian,
    unit: 's' as const,
    pairs: PAIRS,
    ratio: subjectMedian / peerMedian,
    target: `≤ ${MOST} s`,
    within: subjectMedian <= MOST,
    peakBytes,
  };
}
