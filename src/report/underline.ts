import { columnsOf } from './columns.ts';

/** Text with a leak in it, already printable. */
export interface Marked {
  readonly before: string;
  readonly leak: string;
  readonly after: string;
}

/** One piece of a broken line, and where in it the leak lies. */
interface Row extends Marked {
  readonly carets: string;
}

/**
 * Breaks marked text into rows of at most `columns`, each with carets below its part of the leak;
 * `carets` is empty where a row holds none of it.
 */
export function underlined({ before, leak, after }: Marked, columns: number): readonly Row[] {
  const room = Math.max(2, columns);
  const rows: Row[] = [];
  let row = { before: '', leak: '', after: '' };
  let used = 0;
  const flush = (): void => {
    const carets = ' '.repeat(columnsOf(row.before)) + '^'.repeat(columnsOf(row.leak));
    rows.push({ ...row, carets: row.leak === '' ? '' : carets });
    row = { before: '', leak: '', after: '' };
    used = 0;
  };
  for (const [part, text] of [
    ['before', before] as const,
    ['leak', leak] as const,
    ['after', after] as const,
  ]) {
    for (const character of text) {
      const width = columnsOf(character);
      if (used + width > room) flush();
      row[part] += character;
      used += width;
    }
  }
  if (used > 0 || rows.length === 0) flush();
  return rows;
}
