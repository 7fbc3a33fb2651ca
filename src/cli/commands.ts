import { nearest } from '../model/nearest.ts';

/** What the program can do, as help, the parser and completions know it. */
export interface Command {
  /** One or two words. */
  readonly name: string;
  /** What stands behind the options in its usage line; '' for nothing. */
  readonly operands: string;
  /** One sentence without a full stop. */
  readonly help: string;
  /** Whether what stands behind `--` is for another program. */
  readonly passesOn?: true;
}

/** The one table of commands. The first is meant where none is named. */
export const COMMANDS = [
  { name: 'scan', operands: 'TARGET...', help: 'look for leaks in outputs; need not be named' },
  {
    name: 'copy',
    operands: '--to URL PATH... [-- NIX-FLAG...]',
    help: 'send store paths with all that they refer to by nix copy, if all of it may leave',
    passesOn: true,
  },
  {
    name: 'guard',
    operands: 'PATH...',
    help: 'say which store paths may leave with all that they refer to, and why not; ends as the hook would, records nothing',
  },
  {
    name: 'serve',
    operands: '--storage URL --tokens FILE|--no-auth',
    help: 'be a binary cache that lets nothing contaminated in: what clients of Nix send is searched while it comes',
  },
  { name: 'policy check', operands: '[FILE]', help: 'say what is wrong with a policy file' },
  { name: 'policy print', operands: '', help: 'print the policy that counts, and where it is from' },
  { name: 'homes', operands: '', help: 'print the homes and places of the store that are searched for' },
  { name: 'quarantine list', operands: '', help: 'list the outputs that were refused' },
  { name: 'quarantine show', operands: 'ID|STORE-PATH', help: 'show what was found in an output' },
  {
    name: 'quarantine release',
    operands: 'ID|STORE-PATH...',
    help: 'let outputs out in spite of exactly what was found in them',
  },
  {
    name: 'quarantine deny',
    operands: 'ID|STORE-PATH|sha256:HASH',
    help: 'never let an output out, whatever is found in it',
  },
  {
    name: 'quarantine lift',
    operands: 'NUMBER|ID|STORE-PATH|sha256:HASH',
    help: 'take a denial or a release back, or all of an output, a store path or a content',
  },
  {
    name: 'quarantine purge',
    operands: '[ID|STORE-PATH...]',
    help: 'take kept outputs away; what was found in them stays unless --findings is given',
  },
  { name: 'quarantine export', operands: 'ID|STORE-PATH FILE|-', help: 'write a kept output as a NAR' },
  {
    name: 'token new',
    operands: '--name NAME --scope SCOPE,...',
    help: 'make a token for the cache server: its entry for the tokens file on stdout, its secret, once, on stderr',
  },
  { name: 'audit verify', operands: '', help: 'verify every record of the audit trail' },
  { name: 'audit list', operands: '', help: 'print the audit trail' },
  {
    name: 'explain',
    operands: '[TOPIC...]',
    help: 'say more about a rule, a carrier, an encoding, a gap or an error',
  },
  { name: 'completion', operands: 'bash|zsh|fish', help: 'print what completes command lines in a shell' },
] as const satisfies readonly Command[];

export type CommandName = (typeof COMMANDS)[number]['name'];

interface CommandSaid {
  readonly name: CommandName;
  /** How many words name it. */
  readonly words: number;
  readonly passesOn: boolean;
}

/** The commands of which a word is the first of two; none where it is no such word. */
export function commandsUnder(word: string): readonly CommandName[] {
  return COMMANDS.map(({ name }) => name).filter((name) => name.startsWith(`${word} `));
}

/** The first word of commands of two words whose help is asked for by that word alone; null for any other line. */
export function groupAsked([word = '', flag]: readonly string[]): string | null {
  return (flag === '--help' || flag === '-h') && commandsUnder(word).length > 0 ? word : null;
}

/** The words between `nar-scan` and `--help` that print what can be said behind these; '' for all of it. */
export function helpWords(words: readonly string[]): string {
  const { name, words: count } = commandOf(words);
  if (count > 0) return `${name} `;
  const [word = ''] = words;
  return commandsUnder(word).length > 0 ? `${word} ` : '';
}

/** The first word of a command that a target without a slash looks like; null where it looks like none. */
export function commandLike(target: string): string | null {
  const words = COMMANDS.map(({ name }) => name.split(' ')[0] ?? name);
  return target.includes('/') ? null : nearest(target, words);
}

/** The command that a command line begins with. */
export function commandOf(words: readonly string[]): CommandSaid {
  for (const command of COMMANDS) {
    const parts = command.name.split(' ');
    if (!parts.every((part, index) => words[index] === part)) continue;
    return { name: command.name, words: parts.length, passesOn: 'passesOn' in command };
  }
  return { name: COMMANDS[0].name, words: 0, passesOn: false };
}
