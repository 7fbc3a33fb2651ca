import { capital } from '../report/capital.ts';
import { RULE_TOPICS } from '../report/topics/rules.ts';
import { type Command, COMMANDS } from './commands.ts';
import { flagsOf } from './flags.ts';
import type { Flag } from './flags/flag.ts';
import { paragraph, roff, section } from './roff.ts';

/** What the environment decides; flags come before it. */
const ENVIRONMENT: readonly (readonly [name: string, meaning: string])[] = [
  ['HOME, SUDO_USER', 'whose homes are searched for besides those of the passwd database.'],
  ['NAR_SCAN_CONFIG', 'the policy file where --policy names none.'],
  ['NAR_SCAN_DEBUG', 'if it is 1, a fault of the program shows where it happened.'],
  ['NAR_SCAN_NODE', 'the Node.js that runs the program.'],
  [
    'NAR_SCAN_STATE',
    'where the ledger, the quarantine and the audit trail lie; else /var/lib/nar-scan for root, nar-scan below XDG_STATE_HOME or ~/.local/state for others.',
  ],
  ['NIX_STORE_DIR', 'the logical store directory where --store-dir names none.'],
  ['NO_COLOR, TERM', 'whether --color=auto colours.'],
  ['TMPDIR', 'where what must be read out of order and is too large for memory is kept, in unlinked files.'],
  ['XDG_CACHE_HOME', 'where compiled code of the program is cached.'],
];

const EXIT_STATUS: readonly (readonly [status: string, meaning: string])[] = [
  ['0', 'clean: everything was inspected, nothing was found that counts as an error.'],
  ['1', 'contaminated: at least one finding of severity error.'],
  ['2', 'a usage or operational error, such as a target that does not exist.'],
  ['3', 'incomplete: nothing was found, but something was not inspected.'],
];

const EXAMPLES: readonly (readonly [said: string, meaning: string])[] = [
  ['nar-scan --home "$HOME" ./result', 'Check a build before it is shared.'],
  ['nix-store --export $(nix-store -qR ./result) | nar-scan -', 'Check what comes through a pipe.'],
  [
    'nix-store -qR ./result | xargs nar-scan && nix copy --to file:///srv/cache ./result',
    'Upload only when all of it is clean.',
  ],
  ['nar-scan --format sarif --output leaks.sarif ./result', 'Report to a code-scanning tool.'],
];

/** The manual page, section 1, in the macros of man(7); made from the tables of commands, flags and rules. */
export function manualPage(version: string): string {
  return [
    '.\\" Made from the tables of commands, flags and rules.',
    `.TH NAR\\-SCAN 1 "" "nar\\-scan ${roff(version)}" "User Commands"`,
    section('NAME', [
      'nar\\-scan \\- find leaked home directories and physical store paths in Nix build outputs',
    ]),
    section('SYNOPSIS', COMMANDS.flatMap(synopsis)),
    section('DESCRIPTION', [
      roff(
        'Looks for leaked home directories and physical store paths in build outputs, and says clean, contaminated or incomplete. ' +
          'TARGET is a store path, a directory, a file, a NAR (compressed as Nix writes them) or - for a NAR or an export stream on stdin. ' +
          'Containers are opened, and encoded paths are found. What was not inspected is reported, and never clean.',
      ),
    ]),
    section(
      'COMMANDS',
      COMMANDS.flatMap(({ name, help }) => paragraph(`\\fB${roff(name)}\\fR`, `${roff(capital(help))}.`)),
    ),
    ...COMMANDS.map(optionsOf),
    section(
      'EXIT STATUS',
      EXIT_STATUS.flatMap(([status, meaning]) => paragraph(`\\fB${status}\\fR`, roff(capital(meaning)))),
    ),
    section(
      'RULES',
      RULE_TOPICS.flatMap(({ name, what }) => paragraph(`\\fB${roff(name)}\\fR`, roff(what))),
    ),
    section(
      'ENVIRONMENT',
      ENVIRONMENT.flatMap(([name, meaning]) => paragraph(`\\fB${roff(name)}\\fR`, roff(capital(meaning)))),
    ),
    section(
      'EXAMPLES',
      EXAMPLES.flatMap(([said, meaning]) => [
        '.PP',
        roff(meaning),
        '.PP',
        '.nf',
        '.RS 4',
        roff(said),
        '.RE',
        '.fi',
      ]),
    ),
    section('SEE ALSO', ['\\fBnix\\fR(1), \\fBnix\\-store\\fR(1), \\fBnix\\-realpath\\fR(1)']),
    '',
  ].join('\n');
}

function synopsis({ name, operands }: Command): readonly string[] {
  const command = name === 'scan' ? '[\\fBscan\\fR]' : `\\fB${roff(name)}\\fR`;
  const last = operands === '' ? '' : ` \\fI${roff(operands)}\\fR`;
  return [`\\fBnar\\-scan\\fR ${command} [\\fIoptions\\fR]${last}`, '.br'];
}

/** The options of one command: everybody's stand with those of a scan. */
function optionsOf({ name }: Command): string {
  const own = flagsOf(name as (typeof COMMANDS)[number]['name']).filter(
    ({ group }) => name === 'scan' || group !== 'Other',
  );
  if (own.length === 0) return '.\\"';
  const groups = Map.groupBy(own, ({ group }) => group);
  const title = name === 'scan' ? 'OPTIONS' : `OPTIONS OF ${name.toUpperCase()}`;
  return section(
    title,
    [...groups].flatMap(([group, flags]) => [
      `.SS "${roff(group === 'Other' ? 'Of every command' : group)}"`,
      ...flags.flatMap((flag) => paragraph(flagHead(flag), flagText(flag))),
    ]),
  );
}

function flagHead({ name, short, value }: Flag): string {
  const names = [...(short === undefined ? [] : [`-${short}`]), `--${name}`];
  const dashed = names.map((text) => `\\fB${roff(text)}\\fR`).join(', ');
  return value === null ? dashed : `${dashed} \\fI${roff(value.name)}\\fR`;
}

function flagText({ help, repeat }: Flag): string {
  return `${roff(capital(help))}${repeat ? ' (repeatable)' : ''}.`;
}
