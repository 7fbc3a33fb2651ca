import type { CommandName } from './commands.ts';
import { COPY_FLAGS } from './flags/copyFlags.ts';
import type { Flag } from './flags/flag.ts';
import { QUARANTINE_FLAGS } from './flags/quarantineFlags.ts';
import { SCAN_FLAGS } from './flags/scanFlags.ts';
import { SERVER_FLAGS } from './flags/serverFlags.ts';

/** The one table of options: the parser, the help text and the tests read it. */
export const FLAGS = [
  ...SCAN_FLAGS,
  ...COPY_FLAGS,
  ...QUARANTINE_FLAGS,
  ...SERVER_FLAGS,
  { name: 'help', short: 'h', value: null, repeat: false, group: 'Other', help: 'print this help' },
  { name: 'version', value: null, repeat: false, group: 'Other', help: 'print the version' },
] as const satisfies readonly Flag[];

/** The flags that a command takes, with what they are for it. */
export function flagsOf(command: CommandName): readonly Flag[] {
  return FLAGS.filter(
    ({ group, commands = ['scan'] }: Flag) => group === 'Other' || commands.includes(command),
  ).map((flag: Flag) => ({ ...flag, help: flag.helpOf?.[command] ?? flag.help }));
}

export type FlagName = (typeof FLAGS)[number]['name'];
