import type { CommandName } from './commands.ts';
import { RULES } from '../model/facts.ts';
import { LIMITS } from '../model/limits.ts';
import { refuseGlob } from '../policy/glob.ts';
import {
  absoluteDirectory,
  age,
  anything,
  byteCount,
  type FlagValue,
  notEmpty,
  oneOf,
  saidText,
  when,
  wholeNumber,
} from './flagValues.ts';
import { SERVER_FLAGS } from './serverFlags.ts';

export interface Flag {
  /** Without the dashes. */
  readonly name: string;
  /** One letter, without the dash. */
  readonly short?: string;
  /** Null for a switch. */
  readonly value: FlagValue | null;
  /** May stand several times; of other flags the last one counts. */
  readonly repeat: boolean;
  readonly group:
    | 'What is sent'
    | 'What is searched for'
    | 'Store'
    | 'Report'
    | 'Run'
    | 'Quarantine'
    | 'Server'
    | 'Other';
  readonly help: string;
  /** The commands that take it; `scan` alone where nothing is said. Help and version are everybody's. */
  readonly commands?: readonly CommandName[];
  /** What it is for commands to which it is something else. */
  readonly helpOf?: Readonly<Partial<Record<CommandName, string>>>;
}

export const FORMATS = ['human', 'json', 'jsonl', 'sarif'] as const;
export type Format = (typeof FORMATS)[number];

export const COLORS = ['auto', 'always', 'never'] as const;
export type Color = (typeof COLORS)[number];

/** Commands that write into the audit trail. */
const QUARANTINE_WRITERS = [
  'quarantine release',
  'quarantine deny',
  'quarantine lift',
  'quarantine purge',
  'quarantine export',
] as const satisfies readonly CommandName[];

/** The one table of options: the parser, the help text and the tests read it. */
export const FLAGS = [
  {
    name: 'home',
    value: { name: 'DIR', check: anything },
    repeat: true,
    group: 'What is searched for',
    help: 'a home that is known to be of this build',
    commands: ['scan', 'copy', 'guard', 'homes', 'serve', 'quarantine list', 'audit list', 'token new'],
    helpOf: {
      serve: 'a home of somebody who builds what is sent here',
      'quarantine list': 'of outputs in which this home leaked',
      'audit list': 'of outputs in which this home leaked',
      'token new': 'a home of the builders whose outputs come with it',
    },
  },
  {
    name: 'no-host-homes',
    value: null,
    repeat: false,
    group: 'What is searched for',
    help: "leave out this machine's users and HOME",
    commands: ['scan', 'copy', 'guard', 'homes', 'serve'],
  },
  {
    name: 'alias',
    value: { name: 'DIR', check: absoluteDirectory },
    repeat: true,
    group: 'What is searched for',
    help: 'a physical path of the store, such as /home/u/nix/store',
    commands: ['scan', 'copy', 'guard', 'homes'],
  },
  {
    name: 'strict',
    value: null,
    repeat: false,
    group: 'What is searched for',
    help: 'warnings count as errors; waivers that are expired or cover nothing fail the run',
    commands: ['scan', 'copy', 'guard'],
  },
  {
    name: 'policy',
    value: { name: 'FILE', check: notEmpty },
    repeat: false,
    group: 'What is searched for',
    help: 'the policy file; else NAR_SCAN_CONFIG, else the one of the user, else the one in /etc',
    commands: [
      'scan',
      'copy',
      'guard',
      'policy check',
      'policy print',
      'homes',
      'serve',
      ...QUARANTINE_WRITERS,
      'quarantine show',
    ],
  },
  {
    name: 'update-baseline',
    value: { name: 'FILE', check: notEmpty },
    repeat: false,
    group: 'What is searched for',
    help: 'add waivers to that policy file for what blocks today',
  },
  {
    name: 'store',
    value: { name: 'URL', check: notEmpty },
    repeat: false,
    group: 'Store',
    help: 'a store on this machine, as for Nix, such as /home/u/chroot (else NIX_REMOTE)',
    commands: ['scan', 'copy', 'guard', 'homes'],
  },
  {
    name: 'store-dir',
    value: { name: 'DIR', check: absoluteDirectory },
    repeat: false,
    group: 'Store',
    help: 'the logical store directory (else NIX_STORE_DIR, else /nix/store)',
    commands: ['scan', 'copy', 'guard', 'homes', 'serve'],
  },
  {
    name: 'drv',
    value: { name: 'FILE', check: notEmpty },
    repeat: false,
    group: 'Store',
    help: 'the derivation of the targets, for what stands in its sources already (else DRV_PATH, else the deriver)',
  },
  {
    name: 'closure',
    short: 'r',
    value: null,
    repeat: false,
    group: 'Store',
    help: 'the targets and all that they refer to, by the Nix database',
  },
  {
    name: 'all',
    value: null,
    repeat: false,
    group: 'Store',
    help: 'every valid path of the store; no target is named then',
  },
  {
    name: 'stdin',
    value: null,
    repeat: false,
    group: 'Store',
    help: 'read a NAR or an export stream from stdin; the same as -',
  },
  {
    name: 'export',
    value: null,
    repeat: false,
    group: 'Store',
    help: 'stdin is an export stream of nix-store --export (usually told by its first bytes)',
  },
  {
    name: 'format',
    value: oneOf(FORMATS),
    repeat: false,
    group: 'Report',
    help: 'human (the default), json, jsonl: one output a line, or sarif: for code-scanning tools',
    commands: ['scan', 'copy', 'guard', 'homes'],
    helpOf: {
      copy: 'human (the default), json, or jsonl: one path a line',
      guard: 'human (the default) or json',
      homes: 'human (the default) or json',
    },
  },
  {
    name: 'print-clean',
    value: null,
    repeat: false,
    group: 'Report',
    help: 'print the paths of clean outputs only, one a line, for a pipe',
  },
  {
    name: 'output',
    value: { name: 'FILE', check: notEmpty },
    repeat: false,
    group: 'Report',
    help: 'write the report there instead of stdout; a failed write leaves nothing behind',
  },
  {
    name: 'quiet',
    value: null,
    repeat: false,
    group: 'Report',
    help: 'one line for each output with findings or gaps, no progress',
    commands: ['scan', 'copy'],
  },
  {
    name: 'verbose',
    value: null,
    repeat: false,
    group: 'Report',
    help: 'fold and crop nothing',
    commands: ['scan', 'copy'],
  },
  {
    name: 'color',
    value: oneOf(COLORS),
    repeat: false,
    group: 'Report',
    help: 'colour; auto is on terminals without NO_COLOR',
    commands: ['scan', 'copy'],
  },
  {
    name: 'jobs',
    value: wholeNumber(1, 256),
    repeat: false,
    group: 'Run',
    help: 'how many workers scan at once (else one for each core)',
  },
  {
    name: 'max-depth',
    value: wholeNumber(0, LIMITS.containerDepthMost),
    repeat: false,
    group: 'Run',
    help: 'how deep containers in containers are opened (16); 0 opens none',
  },
  {
    name: 'max-expanded',
    value: byteCount,
    repeat: false,
    group: 'Run',
    help: 'what the containers of one output may hold (16G)',
  },
  {
    name: 'max-ratio',
    value: wholeNumber(1, 999_999),
    repeat: false,
    group: 'Run',
    help: 'how many times a stream over 64M may expand (200)',
  },
  {
    name: 'max-members',
    value: wholeNumber(1, 1_000_000_000),
    repeat: false,
    group: 'Run',
    help: 'how many members the containers of one output may have (10M)',
  },
  {
    name: 'max-seconds',
    value: wholeNumber(1, 999_999),
    repeat: false,
    group: 'Run',
    help: 'how long the containers of one output may take (3600)',
  },
  {
    name: 'no-ledger',
    value: null,
    repeat: false,
    group: 'Run',
    help: 'remember nothing, know nothing of earlier runs, and compute no NarHash',
  },
  {
    name: 'to',
    value: { name: 'URL', check: notEmpty },
    repeat: false,
    group: 'What is sent',
    help: 'the store that gets it, as for nix copy',
    commands: ['copy'],
  },
  {
    name: 'skip-contaminated',
    value: null,
    repeat: false,
    group: 'What is sent',
    help: 'leave out what may not leave, with all that refers to it, and send the rest',
    commands: ['copy'],
  },
  {
    name: 'dry-run',
    value: null,
    repeat: false,
    group: 'Run',
    help: 'say what would be sent and what would stay; nothing is sent or recorded',
    commands: ['copy', 'serve'],
    helpOf: { serve: 'refuse nothing, and log what would be refused' },
  },
  {
    name: 'no-staging',
    value: null,
    repeat: false,
    group: 'What is sent',
    help: 'weaker: let Nix read the store itself, although it may have changed since it was judged',
    commands: ['copy'],
  },
  {
    name: 'no-register-homes',
    value: null,
    repeat: false,
    group: 'What is sent',
    help: 'do not tell a nar-scan server which homes are searched for here',
    commands: ['copy'],
  },
  {
    name: 'path',
    value: { name: 'GLOB', check: refuseGlob },
    repeat: false,
    group: 'Quarantine',
    help: 'of these store paths, or their last parts',
    commands: ['quarantine list', 'audit list'],
  },
  {
    name: 'rule',
    value: { name: 'RULE', check: oneOf(RULES).check },
    repeat: false,
    group: 'Quarantine',
    help: 'of this rule',
    commands: ['quarantine list', 'audit list'],
  },
  {
    name: 'since',
    value: { name: 'WHEN', check: when },
    repeat: false,
    group: 'Quarantine',
    help: 'from this day on, such as 2027-01-31 (UTC), or no older than 7d',
    commands: ['quarantine list', 'audit list'],
  },
  {
    name: 'json',
    value: null,
    repeat: false,
    group: 'Quarantine',
    help: 'a JSON document, one a line where there are many',
    commands: ['quarantine list', 'quarantine show', 'audit list'],
  },
  {
    name: 'reason',
    value: { name: 'TEXT', check: saidText },
    repeat: false,
    group: 'Quarantine',
    help: 'why; kept in the audit trail',
    commands: ['quarantine release', 'quarantine deny', 'quarantine lift', 'quarantine purge'],
  },
  {
    name: 'by',
    value: { name: 'ACTOR', check: saidText },
    repeat: false,
    group: 'Quarantine',
    help: 'who; else the user and the host',
    commands: QUARANTINE_WRITERS,
  },
  {
    name: 'expires',
    value: { name: 'WHEN', check: when },
    repeat: false,
    group: 'Quarantine',
    help: 'until when a release counts, such as 2027-01-31 (UTC) or 30d',
    commands: ['quarantine release', 'token new'],
    helpOf: { 'token new': 'until when it counts, such as 2027-01-31 (UTC) or 90d' },
  },
  {
    name: 'older-than',
    value: { name: 'AGE', check: age },
    repeat: false,
    group: 'Quarantine',
    help: 'all that have been there longer, such as 90d',
    commands: ['quarantine purge'],
  },
  {
    name: 'findings',
    value: null,
    repeat: false,
    group: 'Quarantine',
    help: 'take away what was found in them, too',
    commands: ['quarantine purge'],
  },
  {
    name: 'zstd',
    value: null,
    repeat: false,
    group: 'Quarantine',
    help: 'packed, as it is kept',
    commands: ['quarantine export'],
  },
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
