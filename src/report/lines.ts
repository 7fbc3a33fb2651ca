import { columnsOf, firstColumns, lastColumns } from './columns.ts';
import type { Marked } from './underline.ts';

/** Shortens what stands around a leak so that the line fits `columns`; the leak itself stays whole. */
export function cropAround({ before, leak, after }: Marked, columns: number): Marked {
  const left = columnsOf(before);
  const right = columnsOf(after);
  const room = Math.max(0, columns - columnsOf(leak));
  if (left + right <= room) return { before, leak, after };
  const half = Math.floor(room / 2);
  return {
    before: lastColumns(before, Math.max(half, room - right)),
    leak,
    after: firstColumns(after, Math.max(room - half, room - left)),
  };
}

/**
 * Text broken at spaces into lines of at most `columns` (a longer word stands alone), the first
 * with the indent, the others with `hanging`.
 */
export function wrapped(
  text: string,
  indent: string,
  columns: number,
  hanging: string = indent,
): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    const margin = lines.length === 0 ? indent : hanging;
    if (line !== '' && margin.length + columnsOf(line) + 1 + columnsOf(word) > columns) {
      lines.push(margin + line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  lines.push((lines.length === 0 ? indent : hanging) + line);
  return lines;
}
