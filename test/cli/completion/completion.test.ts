import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { completionScript } from '../../../src/cli/completion/completion.ts';
import { COMMANDS } from '../../../src/cli/commands.ts';
import { FLAGS } from '../../../src/cli/flags.ts';
import type { Flag } from '../../../src/cli/flags/flag.ts';
import { FORMATS } from '../../../src/cli/flags/scanFlags.ts';
import { TOPICS } from '../../../src/report/topics/topics.ts';

const SHELLS = ['bash', 'zsh', 'fish'] as const;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'nar-scan-completion-'));
  for (const shell of SHELLS) writeFileSync(join(folder, shell), completionScript([shell]));
  mkdirSync(join(folder, 'some dir'));
  writeFileSync(join(folder, 'some file'), '');
});
afterAll(() => rmSync(folder, { recursive: true }));

const present = (program: string): boolean => spawnSync(program, ['--version']).error === undefined;

/** What bash offers behind these words; the last is being typed. */
function offered(...words: string[]): readonly string[] {
  const script = `source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(( $# - 1 )); _nar_scan; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const run = spawnSync(
    'bash',
    ['--norc', '-c', script, 'bash', join(folder, 'bash'), 'nar-scan', ...words],
    {
      encoding: 'utf8',
      cwd: folder,
    },
  );
  expect(run.stderr).toBe('');
  return run.stdout.split('\n').filter((line) => line !== '');
}

describe.each(SHELLS)('completion for %s', (shell) => {
  it('knows every command, every flag and every choice', () => {
    const script = completionScript([shell]);
    for (const { name } of COMMANDS) expect(script).toContain(name);
    for (const { name, short } of FLAGS as readonly Flag[]) {
      expect(script).toMatch(new RegExp(shell === 'fish' ? `-l ${name} ` : `--${name}\\b`));
      if (short !== undefined)
        expect(script).toMatch(new RegExp(shell === 'fish' ? `-s ${short} ` : `-${short}\\b`));
    }
    for (const word of [...FORMATS, ...TOPICS.map((topic) => topic.name)]) expect(script).toContain(word);
  });

  it.runIf(present(shell))('is accepted by the shell', () => {
    const run = spawnSync(shell, ['-n', join(folder, shell)], { encoding: 'utf8' });
    expect(run.stderr + run.stdout).toBe('');
    expect(run.status).toBe(0);
  });
});

describe.runIf(present('bash'))('what bash offers', () => {
  it.each<[readonly string[], readonly string[]]>([
    [['ex'], ['explain']],
    [['--fo'], ['--format']],
    [
      ['--format', ''],
      ['human', 'json', 'jsonl', 'sarif'],
    ],
    [['--format', '=', 's'], ['sarif']],
    [['--format', '='], [...FORMATS]],
    [
      ['x', '--color', 'a'],
      ['auto', 'always'],
    ],
    [['explain', 'known'], ['known-home']],
    [['explain', '--h'], ['--help']],
    [['explain', '--format'], []],
    [
      ['completion', ''],
      ['bash', 'zsh', 'fish'],
    ],
    [['--home', 'so'], ['some dir']],
    [
      ['--output', 'so'],
      ['some dir', 'some file'],
    ],
    [['so'], ['some dir', 'some file']],
    [['--jobs', 'so'], []],
    [
      ['copy', 'so'],
      ['some dir', 'some file'],
    ],
    [
      ['quarantine', 'show', 'so'],
      ['some dir', 'some file'],
    ],
    [['quarantine', 'show', 'I'], []],
    [['serve', '--listen', 'H'], []],
    [['serve', 's'], []],
    [
      ['token', 'new', '--scope', ''],
      ['read', 'push', 'review', 'admin', 'sign'],
    ],
    [
      ['scan', 'so'],
      ['some dir', 'some file'],
    ],
  ])('for %j is %j', (words, wanted) => {
    expect([...offered(...words)].toSorted()).toEqual([...wanted].toSorted());
  });
});

describe.runIf(present('fish'))('what fish offers', () => {
  it.each([
    ['nar-scan ex', 'explain'],
    ['nar-scan --fo', '--format'],
    ['nar-scan --format s', 'sarif'],
    ['nar-scan explain known', 'known-home'],
    ['nar-scan completion z', 'zsh'],
  ])('for "%s" begins with "%s"', (line, wanted) => {
    const run = spawnSync(
      'fish',
      ['-N', '-c', 'source $argv[1]; complete -C $argv[2]', join(folder, 'fish'), line],
      {
        encoding: 'utf8',
        cwd: folder,
      },
    );
    expect(run.stderr).toBe('');
    expect(run.stdout.split('\n').map((offer) => offer.split('\t')[0])).toContain(wanted);
  });
});

describe('a shell that is not known', () => {
  it.each([[[]], [['ksh']], [['toString']], [['bash', 'zsh']]])('is refused: %j', (operands) => {
    expect(() => completionScript(operands)).toThrow('completion takes one of bash, zsh, fish');
  });
});
