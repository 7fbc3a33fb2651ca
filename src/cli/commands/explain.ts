import { NarScanError } from '../../model/errors.ts';
import { nearest } from '../../model/nearest.ts';
import { topicList, topicText } from '../../report/topics/text.ts';
import { TOPICS, topicsNamed } from '../../report/topics/topics.ts';

/** What SARIF puts before the reason of a gap. */
const SARIF_PREFIX = /^not-inspected\//;

/**
 * What is to be said about rules, carriers, encodings, reasons of gaps and errors, in any letters;
 * without a name, which there are.
 * @throws NarScanError USAGE_UNKNOWN_TOPIC
 */
export function explanation(names: readonly string[], columns: number): string {
  if (names.length === 0) return topicList(columns);
  return names
    .flatMap((name) => {
      const topics = topicsNamed(name.replace(SARIF_PREFIX, ''));
      if (topics.length === 0) throw unknownTopic(name);
      return topics.map((topic) => topicText(topic, columns));
    })
    .join('\n');
}

function unknownTopic(name: string): NarScanError {
  const near = nearest(
    name.toLowerCase(),
    TOPICS.map((topic) => topic.name.toLowerCase()),
  );
  const [meant] = near === null ? [] : topicsNamed(near);
  const hint = meant === undefined ? '' : ` (did you mean ${meant.name}?)`;
  return new NarScanError('USAGE_UNKNOWN_TOPIC', `there is nothing to explain about '${name}'${hint}`);
}
