import { describe, expect, it } from 'vitest';
import { readArguments } from '../../src/cli/arguments.ts';
import { commandLike, COMMANDS, groupAsked, helpWords } from '../../src/cli/commands.ts';
import { FLAGS, flagsOf } from '../../src/cli/flags.ts';
import type { Flag } from '../../src/cli/flags/flag.ts';
import { groupHelpText, helpText } from '../../src/cli/help.ts';
import { invocationOf } from '../../src/cli/invocation.ts';
import { nearest } from '../../src/model/nearest.ts';
import { NarScanError } from '../../src/model/errors.ts';

const understood = (words: readonly string[], environment: NodeJS.ProcessEnv = {}) =>
  invocationOf(readArguments(words), environment);

function refusal(words: readonly string[], environment: NodeJS.ProcessEnv = {}): string {
  try {
    understood(words, environment);
  } catch (error) {
    if (error instanceof NarScanError) return `${error.code} ${error.message}`;
    throw error;
  }
  return 'accepted';
}

/** A value that a flag takes. */
function sample(flag: Flag): string {
  if (flag.value === null) return '';
  return (
    {
      DIR: '/home/alice',
      FILE: 'report',
      N: '3',
      SIZE: '3M',
      URL: '/home/alice/chroot',
      RULE: 'known-home',
      WHEN: '30d',
      AGE: '90d',
      'HOST:PORT|unix:PATH': '[::1]:8080',
    }[flag.value.name] ??
    flag.value.name.split('|')[0] ??
    ''
  );
}

/** The words of a command that takes a flag. */
function commandWith({ commands = ['scan'] }: Flag): readonly string[] {
  return (commands[0] ?? '').split(' ');
}

describe('the table of flags', () => {
  it('is in the help text of each command, flag by flag, within 80 columns', () => {
    for (const { name: command } of COMMANDS) {
      const help = helpText(command);
      for (const { name, help: words } of flagsOf(command)) {
        expect(help).toMatch(new RegExp(`^  (-., )?--${name}( |$)`, 'm'));
        expect(help).toContain(words.split(' ')[0]);
      }
      expect(Math.max(...help.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
    }
    expect(helpText()).toMatchSnapshot();
  });

  it('says what a flag is for the command that takes it', () => {
    expect(helpText('scan')).not.toContain('leaked\n');
    expect(helpText('quarantine list')).toContain('of outputs in which this home leaked');
    expect(helpText('homes')).not.toContain('sarif:');
  });

  it('is left out of the help of commands with a first word in common', () => {
    const help = groupHelpText('policy');
    expect(help).toContain('\n  policy check ');
    expect(help).not.toContain('--home');
    expect(help).not.toContain('quarantine');
  });

  it('names every flag once', () => {
    expect(new Set(FLAGS.map(({ name }) => name)).size).toBe(FLAGS.length);
  });

  it.each(FLAGS.filter(({ value }) => value !== null))(
    '--$name takes its value after = or a space',
    (flag) => {
      const value = sample(flag);
      for (const words of [[`--${flag.name}=${value}`], [`--${flag.name}`, value]]) {
        const said = readArguments([...commandWith(flag), ...words, 'x']);
        expect(said.last(flag.name)).toBe(value);
        expect(said.targets).toEqual(['x']);
      }
      expect(refusal([...commandWith(flag), `--${flag.name}`])).toMatch(/^USAGE_MISSING_VALUE/);
    },
  );

  it.each(FLAGS.filter(({ value }) => value === null))('--$name takes no value', (flag) => {
    const words = [...commandWith(flag), `--${flag.name}=yes`, 'x'];
    expect(refusal(words)).toBe(`USAGE_BAD_VALUE --${flag.name} takes no value`);
  });

  it.each(flagsOf('scan').filter(({ name }) => name !== 'help' && name !== 'version'))(
    '--$name changes the run',
    (flag) => {
      const environment = { NIX_STORE_DIR: '/elsewhere' };
      const words = flag.value === null ? [`--${flag.name}`] : [`--${flag.name}`, sample({ ...flag })];
      const changed =
        flag.name === 'format' || flag.name === 'color'
          ? [`--${flag.name}`, flag.value!.name.split('|')[1]!]
          : words;
      const targets = flag.name === 'all' ? [] : ['x'];
      expect(understood([...changed, ...targets], environment)).not.toEqual(understood(['x'], environment));
    },
  );
});

describe('the command line', () => {
  it('takes half of a command for no file', () => {
    expect(refusal(['quarantine'])).toMatch(/^USAGE_BAD_VALUE quarantine is no command; quarantine list, /);
    expect(refusal(['audit', '--json'])).toMatch(
      /^USAGE_BAD_VALUE audit is no command; audit verify, audit list are/,
    );
    expect(refusal(['quarantine', 'shwo'])).toMatch(
      /quarantine shwo is no command \(did you mean quarantine show\?\)/,
    );
    expect(groupAsked(['audit', '--help'])).toBe('audit');
    expect(groupAsked(['homes', '--help'])).toBe(null);
    expect(understood(['scan', 'audit']).targets).toEqual(['audit']);
    expect(understood(['./audit']).targets).toEqual(['./audit']);
  });

  it('is helped by the words of its own command', () => {
    expect(helpWords(['copy', '--frob'])).toBe('copy ');
    expect(helpWords(['quarantine', 'foo'])).toBe('quarantine ');
    expect(helpWords(['quarantine', 'show', '--frob'])).toBe('quarantine show ');
    expect(helpWords(['--frob', 'x'])).toBe('');
  });

  it('knows a target that looks like a command', () => {
    expect(['homes', 'hoems', 'audit', './homes', 'libfoo'].map(commandLike)).toEqual([
      'homes',
      'homes',
      'audit',
      null,
      null,
    ]);
  });

  it('reads options anywhere, and everything after -- as targets', () => {
    const said = understood(['scan', 'a', '--quiet', 'b', '--', '--verbose', '-', 'scan']);
    expect(said.targets).toEqual(['a', 'b', '--verbose', '-', 'scan']);
    expect(said).toMatchObject({ quiet: true, verbose: false });
  });

  it('has the defaults of the manual', () => {
    expect(understood(['x'])).toMatchObject({
      storeDir: '/nix/store',
      homes: [],
      hostHomes: true,
      hashNars: true,
      limits: {},
      format: 'human',
      output: null,
      strict: false,
      color: 'auto',
    });
  });

  it('takes the store directory from the flag, else the environment', () => {
    expect(understood(['x'], { NIX_STORE_DIR: '/a/store/' }).storeDir).toBe('/a/store');
    expect(understood(['x'], { NIX_STORE_DIR: '' }).storeDir).toBe('/nix/store');
    expect(understood(['--store-dir', '/b/', 'x'], { NIX_STORE_DIR: '/a' }).storeDir).toBe('/b');
    expect(refusal(['x'], { NIX_STORE_DIR: 'a/store' })).toMatch(/^USAGE_BAD_VALUE NIX_STORE_DIR/);
  });

  it('names targets, or all that is valid', () => {
    expect(understood(['--all'])).toMatchObject({ reach: 'all', targets: [] });
    expect(understood(['-r', 'x'])).toMatchObject({ reach: 'closure', targets: ['x'] });
    for (const more of ['x', '-', '--stdin'])
      expect(refusal(['--all', more])).toMatch(/^USAGE_BAD_VALUE --all/);
  });

  it('names stdin in three ways', () => {
    for (const words of [['-'], ['--stdin'], ['--export'], ['--stdin', '-']]) {
      expect(understood(words).targets).toEqual(['-']);
    }
  });

  it('ends at help and version, whatever follows', () => {
    expect(readArguments(['--help', '--wrong']).mode).toBe('help');
    expect(readArguments(['-h']).mode).toBe('help');
    expect(readArguments(['x', '--version', '--wrong']).mode).toBe('version');
    expect(readArguments(['--', '--help']).mode).toBe('run');
  });

  it.each<[readonly string[], string]>([
    [[], 'USAGE_NO_TARGET nothing to scan'],
    [['scan'], 'USAGE_NO_TARGET nothing to scan'],
    [['--quiet'], 'USAGE_NO_TARGET nothing to scan'],
    [[''], 'USAGE_NO_TARGET a target is empty'],
    [['-', '-'], 'USAGE_NO_TARGET stdin can be read only once'],
    [['--fomat', 'x'], 'USAGE_UNKNOWN_OPTION unknown option --fomat (did you mean --format?)'],
    [['-q', 'x'], 'USAGE_UNKNOWN_OPTION unknown option -q'],
    [
      ['--jbos=3', '--zzzzzzzz', 'x'],
      'USAGE_UNKNOWN_OPTION unknown options --jbos (did you mean --jobs?), --zzzzzzzz',
    ],
    [['--home'], 'USAGE_MISSING_VALUE --home needs a value: --home DIR'],
    [['--home', '', 'x'], "USAGE_BAD_HOME --home: '' is empty"],
    [['--home=', 'x'], "USAGE_BAD_HOME --home: '' is empty"],
    [['--home', '/', 'x'], "USAGE_BAD_HOME --home: '/' is a system directory, not a home"],
    [['--home', 'alice', 'x'], "USAGE_BAD_HOME --home: 'alice' is not an absolute path"],
    [['--home', '/usr/lib', 'x'], "USAGE_BAD_HOME --home: '/usr/lib' lies in a system directory"],
    [['--home', '/nix', 'x'], "USAGE_BAD_HOME --home: '/nix' is a system directory, not a home"],
    [['--jobs', '0', 'x'], "USAGE_BAD_VALUE --jobs: '0' is no whole number from 1 to 256"],
    [['--jobs', '1e1', 'x'], "USAGE_BAD_VALUE --jobs: '1e1' is no whole number from 1 to 256"],
    [['--jobs=', 'x'], "USAGE_BAD_VALUE --jobs: '' is no whole number from 1 to 256"],
    [['--max-depth', '-1', 'x'], "USAGE_BAD_VALUE --max-depth: '-1' is no whole number from 0 to 64"],
    [['--format', 'xml', 'x'], "USAGE_BAD_VALUE --format: 'xml' is none of human, json, jsonl, sarif"],
    [['--color', '', 'x'], "USAGE_BAD_VALUE --color: '' is none of auto, always, never"],
    [['--output', '', 'x'], "USAGE_BAD_VALUE --output: '' is empty"],
    [['--store-dir', '/', 'x'], "USAGE_BAD_VALUE --store-dir: '/' is the root directory"],
    [['--store-dir', 'nix', 'x'], "USAGE_BAD_VALUE --store-dir: 'nix' is not an absolute path"],
    [['--alias', '/a/../b', 'x'], "USAGE_BAD_VALUE --alias: '/a/../b' holds '..'"],
    [
      ['--print-clean', '--format=json', 'x'],
      'USAGE_BAD_VALUE --print-clean and --format exclude each other',
    ],
  ])('refuses %j', (words, message) => {
    expect(refusal(words)).toBe(message);
  });
});

describe('the nearest word', () => {
  it('is near, or there is none', () => {
    expect(nearest('--verbos', ['--version', '--verbose'])).toBe('--verbose');
    expect(nearest('--x', ['--home'])).toBeNull();
    expect(nearest('x'.repeat(100_000), ['--home'])).toBeNull();
  });
});
