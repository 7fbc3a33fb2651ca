import { NarScanError } from '../model/errors.ts';
import { nearest } from '../model/nearest.ts';
import { commandOf, type CommandName, commandsUnder } from './commands.ts';
import { type FlagName, flagsOf } from './flags.ts';
import type { Flag } from './flags/flag.ts';

/** The command line as text: what was said, before it is understood. */
export interface Arguments {
  /** Help and version end the reading: what follows them does not matter. */
  readonly mode: 'run' | 'help' | 'version';
  readonly command: CommandName;
  /** In the order given; `-` is stdin. */
  readonly targets: readonly string[];
  /** What stands behind `--` where that is for another program. */
  readonly passedOn: readonly string[];
  readonly has: (name: FlagName) => boolean;
  /** All values of a flag, in the order given. */
  readonly all: (name: FlagName) => readonly string[];
  /** The value that counts, or null where the flag was not given. */
  readonly last: (name: FlagName) => string | null;
}

/**
 * Reads a command line by the table of flags; `--name value` and `--name=value` are the same, `--`
 * ends the options. Values are checked as text only.
 * @throws NarScanError USAGE_UNKNOWN_OPTION (all of them in one message), USAGE_MISSING_VALUE, USAGE_BAD_VALUE
 */
export function readArguments(words: readonly string[]): Arguments {
  const values = new Map<string, string[]>();
  const targets: string[] = [];
  const passedOn: string[] = [];
  const unknown: string[] = [];
  const command = commandOf(words);
  if (command.words === 0) refuseHalfCommand(words[0] ?? '', words[1] ?? '');
  const flags = flagsOf(command.name);
  let at = command.words;
  for (; at < words.length; at++) {
    const word = words[at] ?? '';
    if (word === '--') {
      (command.passesOn ? passedOn : targets).push(...words.slice(at + 1));
      break;
    }
    if (word === '-' || !word.startsWith('-')) {
      targets.push(word);
      continue;
    }
    const equals = word.startsWith('--') ? word.indexOf('=') : -1;
    const name = equals < 0 ? word : word.slice(0, equals);
    const flag = flags.find(
      ({ name: long, short }) => name === `--${long}` || (short !== undefined && name === `-${short}`),
    );
    if (flag === undefined) {
      unknown.push(name);
      continue;
    }
    const list = values.get(flag.name) ?? [];
    values.set(flag.name, list);
    if (flag.value === null) {
      if (equals >= 0) throw new NarScanError('USAGE_BAD_VALUE', `${name} takes no value`);
      if (unknown.length === 0 && (flag.name === 'help' || flag.name === 'version')) break;
      list.push('');
      continue;
    }
    const value = equals < 0 ? words[++at] : word.slice(equals + 1);
    if (value === undefined) {
      throw new NarScanError('USAGE_MISSING_VALUE', `${name} needs a value: ${name} ${flag.value.name}`);
    }
    const refusal = flag.value.check(value);
    if (refusal !== null) throw new NarScanError('USAGE_BAD_VALUE', `${name}: '${value}' ${refusal}`);
    list.push(value);
  }
  if (unknown.length > 0) throw unknownOptions(unknown, flags);
  const all = (name: FlagName): readonly string[] => values.get(name) ?? [];
  return {
    mode: values.has('help') ? 'help' : values.has('version') ? 'version' : 'run',
    command: command.name,
    targets,
    passedOn,
    has: (name) => values.has(name),
    all,
    last: (name) => all(name).at(-1) ?? null,
  };
}

/** The first word of a command without its second would be taken for a file. */
function refuseHalfCommand(word: string, second: string): void {
  const under = commandsUnder(word);
  if (under.length === 0) return;
  const said = second === '' || second.startsWith('-') ? word : `${word} ${second}`;
  const near = said === word ? null : nearest(said, under);
  const meant = near === null ? '' : ` (did you mean ${near}?)`;
  throw new NarScanError(
    'USAGE_BAD_VALUE',
    `${said} is no command${meant}; ${under.join(', ')} ${under.length === 1 ? 'is' : 'are'} (a file of that name is ./${word})`,
  );
}

function unknownOptions(names: readonly string[], flags: readonly Flag[]): NarScanError {
  const known = flags.map(({ name }) => `--${name}`);
  const described = names.map((name) => {
    const near = nearest(name, known);
    return near === null ? name : `${name} (did you mean ${near}?)`;
  });
  return new NarScanError(
    'USAGE_UNKNOWN_OPTION',
    `unknown option${names.length === 1 ? '' : 's'} ${described.join(', ')}`,
  );
}
