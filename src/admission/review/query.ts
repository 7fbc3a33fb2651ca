import { RULES } from '../../model/facts.ts';
import { AGES, OUTPUT_STANDINGS, type OutputsQuery } from './views.ts';

/** Characters of a text that is looked for. */
const TEXT_MOST = 200;

/** What of the address says which outputs are wanted; what it does not say, or not so that it is understood, is open. */
export function outputsQueryOf(query: unknown): OutputsQuery {
  return {
    text: textIn(query, 'text'),
    home: textIn(query, 'home'),
    rule: oneOf(RULES, query, 'rule'),
    verdict: oneOf(['contaminated', 'incomplete'] as const, query, 'verdict'),
    standing: oneOf(OUTPUT_STANDINGS, query, 'standing'),
    age: oneOf(AGES, query, 'age'),
    before: wholeNumberOf(textIn(query, 'before')),
  };
}

/** After which published path a page begins; null: from the first on. */
export function placeInPublished(query: unknown): { readonly at: number; readonly hashPart: string } | null {
  const at = wholeNumberOf(textIn(query, 'at'));
  const hashPart = textIn(query, 'hash');
  return at === null || hashPart === '' ? null : { at, hashPart };
}

/** A number of digits only; null for anything else. */
export function wholeNumberOf(value: unknown): number | null {
  return typeof value === 'string' && /^[0-9]{1,15}$/.test(value) ? Number(value) : null;
}

function textIn(query: unknown, name: string): string {
  const value = (query as Readonly<Record<string, unknown>>)[name];
  return typeof value === 'string' ? value.trim().slice(0, TEXT_MOST) : '';
}

function oneOf<T extends string>(values: readonly T[], query: unknown, name: string): T | null {
  const text = textIn(query, name);
  return values.find((value) => value === text) ?? null;
}
