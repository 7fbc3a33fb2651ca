import type { Finding, Gap } from '../model/facts.ts';

/** Which waiver covers a fact, where waivers were applied to it; null where none does. */
export function waiverOf(fact: Finding | Gap): string | null {
  return (fact as { readonly waivedBy?: string | null }).waivedBy ?? null;
}
