import { wrapped } from '../lines.ts';
import { KIND_TITLES, TOPICS } from './topics.ts';
import { TOPIC_KINDS, type Topic } from './topic.ts';

/** What a waiver looks like in a policy file. */
export function waiverExample({ waive }: Topic): readonly string[] {
  return [
    '[[waivers]]',
    ...waive,
    'entry = "share/doc/**"',
    'because = "why it may stay"',
    'expires = 2030-01-01',
  ];
}

/** A topic as sections: a heading, and its paragraphs. Lines of examples begin with four blanks. */
function sectionsOf(topic: Topic): readonly (readonly [heading: string, paragraphs: readonly string[]])[] {
  const waive: readonly string[] =
    topic.waive.length === 0
      ? []
      : [
          'Where it must stay, say so in the policy file. A waiver covers what it names, never a whole file, and is reported when it is unused or expired:',
          ...waiverExample(topic).map((line) => `    ${line}`),
        ];
  return [
    ...(topic.why === '' ? [] : [['Why it is bad', [topic.why]] as const]),
    ...(topic.cause === '' ? [] : [['How it comes about', [topic.cause]] as const]),
    [topic.kind === 'group' ? 'Its carriers' : 'How to mend it', topic.mend],
    ...(waive.length === 0 ? [] : [['How to waive it', waive] as const]),
  ];
}

/** A topic as text of at most `columns`. */
export function topicText(topic: Topic, columns: number): string {
  const lines = [`${topic.name} (${topic.kind})`, '', ...wrapped(topic.what, '', columns)];
  for (const [heading, paragraphs] of sectionsOf(topic)) {
    lines.push('', `${heading}:`);
    for (const paragraph of paragraphs) {
      if (paragraph.startsWith('    ')) lines.push(`  ${paragraph}`);
      else lines.push(...wrapped(paragraph, '  ', columns, topic.mend.includes(paragraph) ? '    ' : '  '));
    }
  }
  return `${lines.join('\n')}\n`;
}

/** A topic as Markdown, without its name. */
export function topicMarkdown(topic: Topic): string {
  const parts = sectionsOf(topic).map(([heading, paragraphs]) => {
    const prose = paragraphs.filter((paragraph) => !paragraph.startsWith('    '));
    const example = paragraphs.filter((paragraph) => paragraph.startsWith('    '));
    const code =
      example.length === 0 ? '' : `\n\n\`\`\`toml\n${example.map((line) => line.trim()).join('\n')}\n\`\`\``;
    const body = prose.length === 1 ? prose.join('') : prose.map((line) => `- ${line}`).join('\n');
    return `## ${heading}\n\n${body}${code}`;
  });
  return [topic.what, ...parts].join('\n\n');
}

/** All topics by kind, each with the beginning of what it is. */
export function topicList(columns: number): string {
  const names = (kind: string): readonly string[] =>
    TOPICS.filter((topic) => topic.kind === kind).map(({ name }) => name);
  const parts = TOPIC_KINDS.map(
    (kind) => `${KIND_TITLES[kind]}\n${wrapped(names(kind).join(' '), '  ', columns).join('\n')}\n`,
  );
  return `nar-scan explain TOPIC says more about one of these.\n\n${parts.join('\n')}`;
}
