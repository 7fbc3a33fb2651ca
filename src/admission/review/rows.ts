import { html, type Html } from './html.ts';

/** A list, or what is said where it is empty. */
export function rowsOf<T>(items: readonly T[], row: (item: T) => Html, none: string): Html {
  if (items.length === 0) return html`<p class="none">${none}</p>`;
  return html`<ol class="rows">
    ${items.map((item) => html`<li class="row">${row(item)}</li>`)}
  </ol>`;
}

/** The way to what does not fit on a page; nothing where all did. */
export function olderLink(address: string | null): Html | null {
  return address === null ? null : html`<p class="more"><a href="${address}">Older ones</a></p>`;
}
