import { capital } from '../report/capital.ts';
import { wrapped } from '../report/lines.ts';
import { type Command, type CommandName, COMMANDS, commandsUnder } from './commands.ts';
import { flagsOf } from './flags.ts';
import type { Flag } from './flags/flag.ts';

const WIDTH = 80;
/** Column at which explanations start. */
const EXPLANATION = 29;

const HEAD = `Usage: nar-scan [scan] [options] TARGET...
       nar-scan COMMAND --help

Looks for leaked home directories and physical store paths in build outputs.
TARGET is a store path, a directory, a file, a NAR (compressed as Nix writes
them) or - for a NAR or an export stream on stdin.
`;

const TAIL = `
Exit status: 0 clean, 1 contaminated, 2 usage or operational error, 3 incomplete
(something was not inspected; the report says what).
`;

/** The help text of a command, made from the tables of commands and flags, at most 80 columns wide. */
export function helpText(name: CommandName = 'scan'): string {
  const groups = Map.groupBy<Flag['group'], Flag>(flagsOf(name), ({ group }) => group);
  const sections = [...groups].map(([group, flags]) => `\n${group}:\n${flags.map(flagText).join('')}`);
  if (name !== 'scan') return headOf(name) + sections.join('');
  const commands = COMMANDS.map((command) => lineOf(command.name, command.help)).join('');
  return `${HEAD}\nCommands:\n${commands}${sections.join('')}${TAIL}`;
}

/** The help text of commands that have a first word in common. */
export function groupHelpText(group: string): string {
  const under: readonly string[] = commandsUnder(group);
  const commands = COMMANDS.filter(({ name }) => under.includes(name));
  const lines = commands.map(({ name, help }) => lineOf(name, help)).join('');
  return `Usage: nar-scan ${group} COMMAND [options]\n       nar-scan ${group} COMMAND --help\n\nCommands:\n${lines}`;
}

function headOf(name: CommandName): string {
  const { operands, help }: Command = COMMANDS.find((command) => command.name === name) ?? COMMANDS[0];
  return `Usage: nar-scan ${name} [options]${operands === '' ? '' : ` ${operands}`}\n\n${wrapped(`${capital(help)}.`, '', WIDTH).join('\n')}\n`;
}

function flagText(flag: Flag): string {
  const short = flag.short === undefined ? '' : `-${flag.short}, `;
  const repeat = flag.repeat ? ' (repeatable)' : '';
  return lineOf(
    `${short}--${flag.name}${flag.value === null ? '' : ` ${flag.value.name}`}`,
    `${flag.help}${repeat}`,
  );
}

/** What is said, and what it means, in two columns. */
function lineOf(said: string, meaning: string): string {
  const usage = `  ${said}`;
  const lines: string[] = [];
  let line = usage.length < EXPLANATION - 1 ? usage.padEnd(EXPLANATION - 1) : usage;
  if (line.length >= EXPLANATION) {
    lines.push(line);
    line = ' '.repeat(EXPLANATION - 1);
  }
  for (const word of meaning.split(' ')) {
    if (line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = ' '.repeat(EXPLANATION - 1);
    }
    line += ` ${word}`;
  }
  lines.push(line);
  return `${lines.join('\n')}\n`;
}
