/** What the program can do, as help, the parser and completions know it. */
export interface Command {
  /** One or two words. */
  readonly name: string;
  /** What stands behind the options in its usage line; '' for nothing. */
  readonly operands: string;
  /** One sentence without a full stop. */
  readonly help: string;
}

/** The one table of commands. The first is meant where none is named. */
export const COMMANDS = [
  { name: 'scan', operands: 'TARGET...', help: 'look for leaks in outputs; needs not be named' },
  { name: 'policy check', operands: '[FILE]', help: 'say what is wrong with a policy file' },
  { name: 'policy print', operands: '', help: 'print the policy that counts, and where it is from' },
  { name: 'homes', operands: '', help: 'print the homes and places of the store that are searched for' },
  {
    name: 'explain',
    operands: '[TOPIC...]',
    help: 'say more about a rule, a carrier, an encoding, a gap or an error',
  },
  { name: 'completion', operands: 'bash|zsh|fish', help: 'print what completes command lines in a shell' },
] as const satisfies readonly Command[];

export type CommandName = (typeof COMMANDS)[number]['name'];

/** The command that a command line begins with, and how many words name it. */
export function commandOf(words: readonly string[]): { readonly name: CommandName; readonly words: number } {
  for (const { name } of COMMANDS) {
    const parts = name.split(' ');
    if (parts.every((part, index) => words[index] === part)) return { name, words: parts.length };
  }
  return { name: COMMANDS[0].name, words: 0 };
}
