import { CARRIER_GROUPS, type CarrierGroup } from '../../policy/groups.ts';
import type { Topic } from './topic.ts';

/** Groups that are no carrier themselves, and what they have in common. */
const WORDS: Readonly<Record<Exclude<CarrierGroup, 'entry-name' | 'symlink'>, string>> = {
  any: 'Every carrier; the widest group.',
  bytes: 'Text that nothing looks up as a path, or not every time.',
  structural: 'What is looked up as a path: by a loader, the kernel or a build.',
  loader: 'Where a loader looks for libraries, and the loader itself.',
};

/** The groups of carriers that a policy gives severities to, with what is in them. */
export const GROUP_TOPICS: readonly Topic[] = Object.entries(WORDS).map(([name, what]) => ({
  kind: 'group',
  name,
  what: `${what} In a policy the narrowest group that holds a carrier counts.`,
  why: '',
  cause: '',
  mend: [CARRIER_GROUPS[name as CarrierGroup].join(' ')],
  waive: [],
}));
