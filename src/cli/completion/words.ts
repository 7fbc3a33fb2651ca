import { TOPICS } from '../../report/topics/topics.ts';
import { type CommandName, COMMANDS } from '../commands.ts';
import { flagsOf } from '../flags.ts';
import type { Flag } from '../flags/flag.ts';

/** What may stand at a place of the command line: one of some words, a path, or what no shell can guess. */
export type Completed =
  | { readonly kind: 'choice'; readonly choices: readonly string[] }
  | { readonly kind: 'directory' | 'file' | 'text' | 'nothing' };

export interface CompletedFlag {
  readonly flag: Flag;
  /** Its value; `nothing` for a switch. */
  readonly value: Completed;
}

export interface CompletedCommand {
  readonly name: CommandName;
  readonly help: string;
  readonly flags: readonly CompletedFlag[];
  readonly operand: Completed;
}

/** Every command with what can follow it, from the tables of commands and flags. */
export const COMPLETED: readonly CompletedCommand[] = COMMANDS.map(({ name, operands, help }) => ({
  name,
  help,
  flags: flagsOf(name).map((flag) => ({
    flag,
    value: flag.value === null ? { kind: 'nothing' } : completed(flag.value.name),
  })),
  operand: completed(operands),
}));

/** First words of commands that have two, with their second words. */
export const SECOND_WORDS: ReadonlyMap<string, readonly string[]> = new Map(
  [...Map.groupBy(COMMANDS, ({ name }) => name.split(' ')[0] ?? '')]
    .map(([first, group]) => [first, group.flatMap(({ name }) => name.split(' ').slice(1))] as const)
    .filter(([, seconds]) => seconds.length > 0),
);

/** What a placeholder of a usage line stands for; what it has in capitals stands for something else. */
function completed(placeholder: string): Completed {
  // options that cannot be left out stand before operands
  const operands = placeholder.replaceAll(/--[a-z-]+ \S+/g, '');
  const name = operands.replaceAll(/[[\].,]/g, '').trim();
  if (name === '') return { kind: 'nothing' };
  if (name.includes('|') && name === name.toLowerCase()) return { kind: 'choice', choices: name.split('|') };
  if (name.startsWith('TOPIC'))
    return { kind: 'choice', choices: [...new Set(TOPICS.map((topic) => topic.name))] };
  if (name === 'DIR') return { kind: 'directory' };
  return isFile(name) ? { kind: 'file' } : { kind: 'text' };
}

function isFile(name: string): boolean {
  return /(^|[ |])(FILE|TARGET|(STORE-)?PATH)\b/.test(name);
}
