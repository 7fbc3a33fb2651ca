import { CARRIER_TOPICS } from './carriers.ts';
import { ENCODING_TOPICS } from './encodings.ts';
import { ERROR_TOPICS } from './errors.ts';
import { GAP_TOPICS } from './gaps.ts';
import { GROUP_TOPICS } from './groups.ts';
import { RULE_TOPICS } from './rules.ts';
import type { Topic, TopicKind } from './topic.ts';

/** Everything that can be explained, by kind. */
export const TOPICS: readonly Topic[] = [
  ...RULE_TOPICS,
  ...CARRIER_TOPICS,
  ...GROUP_TOPICS,
  ...ENCODING_TOPICS,
  ...GAP_TOPICS,
  ...ERROR_TOPICS,
];

/** The topics of a name, in whatever letters; more than one where kinds share it. */
export function topicsNamed(name: string): readonly Topic[] {
  const wanted = name.toLowerCase();
  return TOPICS.filter((topic) => topic.name.toLowerCase() === wanted);
}

/** What each kind is called in a heading. */
export const KIND_TITLES: Readonly<Record<TopicKind, string>> = {
  rule: 'Rules: whose path it is',
  carrier: 'Carriers: where it sits',
  group: 'Groups of carriers: what [rules] of a policy gives severities to',
  encoding: 'Encodings: how it is written',
  gap: 'Reasons of gaps: why something was not inspected',
  error: 'Errors',
};
