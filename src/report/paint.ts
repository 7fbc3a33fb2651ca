/** What a piece of text means; how it looks is decided here alone. */
export type Role = 'bad' | 'doubtful' | 'good' | 'strong' | 'faint' | 'leak';

export type Paint = (role: Role, text: string) => string;

/** Select Graphic Rendition parameters (ECMA-48, 8.3.117). */
const GRAPHIC_RENDITION: Readonly<Record<Role, string>> = {
  bad: '1;31',
  doubtful: '33',
  good: '32',
  strong: '1',
  faint: '2',
  leak: '1;4;31',
};

/** Colours text for a terminal, or leaves it as it is. */
export function painter(color: boolean): Paint {
  return color ? (role, text) => `\x1b[${GRAPHIC_RENDITION[role]}m${text}\x1b[0m` : (_role, text) => text;
}
