import { printableText } from '../../report/printable.ts';

/** Text that is HTML; all that is not is escaped where it goes into some. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** What goes into HTML. Nothing comes of null, undefined and false; lists are put together. */
export type Part = Html | string | number | null | undefined | false | readonly Part[];

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/**
 * HTML of a template. Every value is escaped, for text and for attributes in quotes, and what is unprintable is written
 * out: marks that turn the direction of text would deceive who reads it.
 */
export function html(strings: TemplateStringsArray, ...values: readonly Part[]): Html {
  let text = strings[0] ?? '';
  for (const [index, value] of values.entries()) text += textOf(value) + (strings[index + 1] ?? '');
  return new Html(text);
}

function textOf(value: Part): string {
  if (value === null || value === undefined || value === false) return '';
  if (value instanceof Html) return value.text;
  if (typeof value === 'object') return value.map(textOf).join('');
  return printableText(String(value)).replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? '');
}
