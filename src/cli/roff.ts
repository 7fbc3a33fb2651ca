/* Parts of manual pages, in the macros of man(7). */

/** A section; the lines are roff. */
export function section(title: string, lines: readonly string[]): string {
  return [`.SH "${title}"`, ...lines].join('\n');
}

/** What is explained, and the explanation; both are roff. */
export function paragraph(head: string, text: string): readonly string[] {
  return ['.TP', head, text];
}

/** Text as roff: backslashes and dashes as they are, and no line that begins with a request. */
export function roff(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll("'", '\\(aq')
    .replaceAll('…', '...')
    .replace(/^\./, '\\&.');
}
