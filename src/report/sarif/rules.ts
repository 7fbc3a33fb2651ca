import { type GapReason, type Rule, RULES } from '../../model/facts.ts';
import { ERRORS } from '../../model/errors.ts';
import { GAP_TOPICS } from '../topics/gaps.ts';
import { RULE_TOPICS } from '../topics/rules.ts';
import { topicMarkdown, topicText } from '../topics/text.ts';
import type { Topic } from '../topics/topic.ts';

const COLUMNS = 100;

/** How bad a finding of each rule is where nothing else is said; what a result says counts. */
const USUAL_LEVEL: Readonly<Record<Rule, 'error' | 'warning' | 'note'>> = {
  'known-home': 'error',
  'store-alias': 'error',
  'root-home': 'warning',
  'placeholder-home': 'note',
  'foreign-home': 'warning',
  'build-dir': 'note',
};

interface Descriptor {
  readonly id: string;
  readonly [property: string]: unknown;
}

/** The rule that a gap breaks: everything is inspected. */
export const gapRule = (reason: GapReason): string => `not-inspected/${reason}`;

/** Rules of leaks and of gaps, as `reportingDescriptor` objects; results name them by their index. */
export const SARIF_RULES: readonly Descriptor[] = [
  ...RULE_TOPICS.map((topic) => descriptor(topic, topic.name, USUAL_LEVEL[topic.name as Rule], 'leak')),
  ...GAP_TOPICS.map((topic) => descriptor(topic, gapRule(topic.name as GapReason), 'error', 'incomplete')),
];

/** Errors of a run, as `reportingDescriptor` objects. */
export const SARIF_NOTIFICATIONS: readonly object[] = Object.entries(ERRORS).map(([id, hint]) => ({
  id,
  shortDescription: { text: hint },
}));

const indices = new Map(SARIF_RULES.map(({ id }, index) => [id, index]));

/** Where a rule stands in {@link SARIF_RULES}. */
export function ruleIndex(id: string): number {
  return indices.get(id) ?? -1;
}

function descriptor(topic: Topic, id: string, level: string, tag: string): Descriptor {
  return {
    id,
    name: pascalCase(id),
    shortDescription: { text: topic.what },
    fullDescription: { text: `${topic.what} ${topic.why}` },
    help: { text: topicText(topic, COLUMNS), markdown: topicMarkdown(topic) },
    defaultConfiguration: { level },
    properties: { tags: ['nix', RULES.includes(topic.name as Rule) ? 'purity' : 'coverage', tag] },
  };
}

function pascalCase(id: string): string {
  return id.replaceAll(/(?:^|[-/])([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
