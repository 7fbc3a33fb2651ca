import type { Finding } from '../model/facts.ts';
import type { HumanView } from './humanView.ts';
import { printableBytes } from './printable.ts';
import { counted } from './units.ts';

/** Physical places of the store that an output shows more than once, each with its counts, the commonest first. */
export function aliasLines(findings: readonly Finding[], { paint }: HumanView): readonly string[] {
  const aliases = [...Map.groupBy(findings, ({ alias }) => alias)].flatMap(([alias, group]) => {
    const count = group.reduce((sum, { more }) => sum + 1 + more, 0);
    const entries = new Set(group.map(({ location }) => location.entry)).size;
    return alias === null || count === 1 ? [] : [{ alias, count, entries }];
  });
  return aliases
    .toSorted((a, b) => b.count - a.count || (a.alias < b.alias ? -1 : 1))
    .map(
      ({ alias, count, entries }) =>
        `  ${paint('strong', printableBytes(alias))} is a physical place of the store: ` +
        `${counted(count, 'leak')} in ${counted(entries, 'entry', 'entries')}`,
    );
}
