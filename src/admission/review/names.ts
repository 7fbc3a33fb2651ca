import { hashPartOf } from '../../nix/storePath.ts';
import { html, type Html } from './html.ts';
import type { OutputStanding } from './views.ts';

/** A store path so that its name stands out of its hash; anything else as it is. */
export function pathName(storePath: string): Html {
  const hashPart = hashPartOf(storePath);
  if (hashPart === null) return html`<span class="path">${storePath}</span>`;
  const at = storePath.lastIndexOf(hashPart);
  const name = storePath.slice(at + hashPart.length + 1);
  return html`<span class="path"
    ><span class="hash">${storePath.slice(0, at + hashPart.length)}-</span>${name}</span
  >`;
}

/** The name alone, for titles. */
export function shortName(storePath: string): string {
  const hashPart = hashPartOf(storePath);
  return hashPart === null
    ? storePath
    : storePath.slice(storePath.lastIndexOf(hashPart) + hashPart.length + 1);
}

const TONES: Readonly<Record<string, string>> = {
  contaminated: 'bad',
  denied: 'bad',
  refused: 'bad',
  error: 'bad',
  incomplete: 'doubtful',
  held: 'doubtful',
  warning: 'doubtful',
  released: 'good',
  clean: 'good',
};

/** A word that says how something stands. */
export function badge(word: string): Html {
  return html`<span class="badge ${TONES[word] ?? 'plain'}">${word}</span>`;
}

/** What was decided, or what it was refused for. */
export function standingBadge(standing: OutputStanding, verdict: string): Html {
  return badge(standing === 'undecided' ? verdict : standing);
}
