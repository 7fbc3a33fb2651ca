import type { CommandName } from './commands.ts';
import { LIMITS } from '../model/limits.ts';
import { sizeOf } from '../model/size.ts';

/** Why a text cannot be the value of a flag, or null if it can. Looks at the text only. */
type ValueCheck = (text: string) => string | null;

export interface FlagValue {
  /** How help calls it, such as `DIR`. */
  readonly name: string;
  readonly check: ValueCheck;
}

export interface Flag {
  /** Without the dashes. */
  readonly name: string;
  /** One letter, without the dash. */
  readonly short?: string;
  /** Null for a switch. */
  readonly value: FlagValue | null;
  /** May stand several times; of other flags the last one counts. */
  readonly repeat: boolean;
  readonly group: 'What is searched for' | 'Store' | 'Report' | 'Run' | 'Other';
  readonly help: string;
  /** The commands that take it; `scan` alone where nothing is said. Help and version are everybody's. */
  readonly commands?: readonly CommandName[];
}

export const FORMATS = ['human', 'json', 'jsonl', 'sarif'] as const;
export type Format = (typeof FORMATS)[number];

export const COLORS = ['auto', 'always', 'never'] as const;
export type Color = (typeof COLORS)[number];

const anything: ValueCheck = () => null;

const notEmpty: ValueCheck = (text) => (text === '' ? 'is empty' : null);

const absoluteDirectory: ValueCheck = (text) => {
  if (text === '') return 'is empty';
  if (!text.startsWith('/')) return 'is not an absolute path';
  if (text.split('/').includes('..')) return "holds '..'";
  return /^[/.]*$/.test(text) ? 'is the root directory' : null;
};

function oneOf(choices: readonly string[]): FlagValue {
  return {
    name: choices.join('|'),
    check: (text) => (choices.includes(text) ? null : `is none of ${choices.join(', ')}`),
  };
}

function wholeNumber(least: number, most: number): FlagValue {
  return {
    name: 'N',
    check: (text) =>
      /^[0-9]{1,10}$/.test(text) && Number(text) >= least && Number(text) <= most
        ? null
        : `is no whole number from ${least} to ${most}`,
  };
}

/** A number of bytes, with an optional unit. */
const byteCount: FlagValue = {
  name: 'SIZE',
  check: (text) =>
    sizeOf(text) === null ? 'is no size: a whole number of bytes above 0, or one with K, M, G or T' : null,
};

/** The one table of options: the parser, the help text and the tests read it. */
export const FLAGS = [
  {
    name: 'home',
    value: { name: 'DIR', check: anything },
    repeat: true,
    group: 'What is searched for',
    help: 'a home that is known to be of this build',
    commands: ['scan', 'homes'],
  },
  {
    name: 'no-host-homes',
    value: null,
    repeat: false,
    group: 'What is searched for',
    help: "leave out this machine's users and HOME",
    commands: ['scan', 'homes'],
  },
  {
    name: 'alias',
    value: { name: 'DIR', check: absoluteDirectory },
    repeat: true,
    group: 'What is searched for',
    help: 'a physical path of the store, such as /home/u/nix/store',
    commands: ['scan', 'homes'],
  },
  {
    name: 'strict',
    value: null,
    repeat: false,
    group: 'What is searched for',
    help: 'warnings count as errors; waivers that are expired or cover nothing fail the run',
  },
  {
    name: 'policy',
    value: { name: 'FILE', check: notEmpty },
    repeat: false,
    group: 'What is searched for',
    help: 'the policy file; else NAR_SCAN_CONFIG, else the one of the user, else the one in /etc',
    commands: ['scan', 'policy print', 'homes'],
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
    commands: ['scan', 'homes'],
  },
  {
    name: 'store-dir',
    value: { name: 'DIR', check: absoluteDirectory },
    repeat: false,
    group: 'Store',
    help: 'the logical store directory (else NIX_STORE_DIR, else /nix/store)',
    commands: ['scan', 'homes'],
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
    commands: ['scan', 'homes'],
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
  },
  {
    name: 'verbose',
    value: null,
    repeat: false,
    group: 'Report',
    help: 'fold and crop nothing',
  },
  {
    name: 'color',
    value: oneOf(COLORS),
    repeat: false,
    group: 'Report',
    help: 'colour; auto is on terminals without NO_COLOR',
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
  { name: 'help', short: 'h', value: null, repeat: false, group: 'Other', help: 'print this help' },
  { name: 'version', value: null, repeat: false, group: 'Other', help: 'print the version' },
] as const satisfies readonly Flag[];

/** The flags that a command takes. */
export function flagsOf(command: CommandName): readonly Flag[] {
  return FLAGS.filter(
    ({ group, commands = ['scan'] }: Flag) => group === 'Other' || commands.includes(command),
  );
}

export type FlagName = (typeof FLAGS)[number]['name'];
