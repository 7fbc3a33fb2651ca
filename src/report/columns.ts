const PLAIN = /^[ -~]*$/;

/** Marks that stand on the letter before them. */
const COMBINING = /^\p{M}$/u;

/** Letters of East Asia and emoji that terminals draw two columns wide (Unicode's East Asian Width W and F, in blocks). */
const WIDE =
  /^[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1f64f}\u{1f680}-\u{1f6ff}\u{1f900}-\u{1faff}\u{20000}-\u{3fffd}]$/u;

/** How many columns of a terminal printable text takes. */
export function columnsOf(text: string): number {
  if (PLAIN.test(text)) return text.length;
  let columns = 0;
  for (const character of text) columns += COMBINING.test(character) ? 0 : WIDE.test(character) ? 2 : 1;
  return columns;
}

/** The end of a text in at most `columns`, where what is left out in front is one `…`. */
export function lastColumns(text: string, columns: number): string {
  if (columnsOf(text) <= columns) return text;
  let rest = Math.max(0, columns - 1);
  const kept: string[] = [];
  for (const character of Array.from(text).toReversed()) {
    rest -= columnsOf(character);
    if (rest < 0) break;
    kept.push(character);
  }
  return `…${kept.toReversed().join('')}`;
}

/** The beginning of a text in at most `columns`, where what is left out behind is one `…`. */
export function firstColumns(text: string, columns: number): string {
  if (columnsOf(text) <= columns) return text;
  let rest = Math.max(0, columns - 1);
  let kept = '';
  for (const character of text) {
    rest -= columnsOf(character);
    if (rest < 0) break;
    kept += character;
  }
  return `${kept}…`;
}
