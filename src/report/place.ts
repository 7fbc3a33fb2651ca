import type { Finding, Gap, Location } from '../model/facts.ts';
import { printableBytes, printableText } from './printable.ts';

/** Stands between a container and its member. */
const INSIDE = ' › ';

/** A path in an output as people read it. */
export function entryName(entry: string): string {
  return entry === '' ? '(the output itself)' : printableBytes(entry);
}

/** The entry and the members in it, from outside in: `lib/x.jar › a.class`. */
export function chainOf({ entry, container }: Location): string {
  return [entryName(entry), ...container.map(printableBytes)].join(INSIDE);
}

/** The members alone, from outside in: `in.jar › A.class`; '' where there is none. */
export function membersOf({ container }: Location): string {
  return container.map(printableBytes).join(INSIDE);
}

/** Field, offset and section: ` DT_RUNPATH at 455 of .dynstr`, each where it is known. */
export function spotOf({ location }: Finding | Gap): string {
  const { section, field, offset } = location;
  return [
    field === undefined ? '' : ` ${printableText(field)}`,
    offset === null ? '' : ` at ${offset}`,
    section === undefined ? '' : ` of ${printableText(section)}`,
  ].join('');
}
