import { OPTIONS } from './options.ts';

/** Column at which explanations start. */
const EXPLANATION = 32;

const HEAD = `Usage: nix-realpath [OPTION]... FILE...

Prints absolute paths without symbolic links, as GNU realpath does. A path in the
Nix store or its state directory keeps the name /nix/store or /nix/var/nix (what
the options or variables say it is), from wherever it was reached.

`;

const TAIL = `
Exit status: 0 if all paths were resolved, 1 if not, 2 if no Node.js was found.
`;

/** The help text, made from the table of options. */
export function helpText(): string {
  return HEAD + OPTIONS.map((option) => lineOf(saidAs(option), option.help)).join('') + TAIL;
}

/** How an option is written: `-s, --strip, --no-symlinks`. */
export function saidAs(option: (typeof OPTIONS)[number]): string {
  const short = 'short' in option ? `-${option.short}, ` : '';
  const value = option.value === null ? '' : `=${option.value}`;
  return `${short}${option.names.map((name) => `--${name}${value}`).join(', ')}`;
}

function lineOf(said: string, meaning: string): string {
  const indent = said.startsWith('--') ? ' '.repeat(6) : '  ';
  const usage = indent + said;
  const head =
    usage.length < EXPLANATION ? usage.padEnd(EXPLANATION) : `${usage}\n${' '.repeat(EXPLANATION)}`;
  return `${head}${meaning}\n`;
}
