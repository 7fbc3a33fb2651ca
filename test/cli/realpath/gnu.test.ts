import { spawnSync } from 'node:child_process';
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { readOptions, UsageFault } from '../../../src/cli/realpath/options.ts';
import { quoted } from '../../../src/cli/realpath/quote.ts';
import { resolveAll } from '../../../src/cli/realpath/resolveAll.ts';
import { canonicalize, PathFault } from '../../../src/nix/canonicalize.ts';
import { hostDisk } from '../../../src/nix/hostDisk.ts';
import { bytesOfByteString, type ByteString } from '../../../src/model/bytes.ts';
import { linkTree, makeTree, placed, saidPath } from '../../support/linkTrees.ts';
import { needs } from '../../support/programs.ts';

const isGnu = spawnSync('realpath', ['--version'], { encoding: 'utf8' }).stdout?.includes('GNU') ?? false;

/** Every combination of options: what must exist, links, and what relative paths start from. */
const COMBINATIONS = [[], ['-e'], ['-m']].flatMap((existence) =>
  [[], ['-P'], ['-L'], ['-s']].flatMap((links) =>
    [[], ['-z'], ['-q'], ['-zq']].flatMap((output) =>
      [[], ['to'], ['base'], ['to', 'base']].map((relative) => ({
        switches: [...existence, ...links, ...output],
        relative,
      })),
    ),
  ),
);

let folder: string;
const start = process.cwd();
beforeAll(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'nar-scan-realpath-')));
});
afterEach(() => process.chdir(start));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Ended {
  readonly stdout: string;
  readonly stderr: string;
  readonly status: number | null;
}

/** The real one. Its arguments are bytes, which a process that is started from here cannot have: a shell makes them. */
function gnu(words: readonly ByteString[], cwd: string): Ended {
  const octal = (word: ByteString) =>
    [...bytesOfByteString(word)].map((byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('');
  const script = `set --; ${words
    .map((word) => `w=$(printf '${octal(word)}.'); set -- "$@" "\${w%.}";`)
    .join(' ')} exec realpath "$@"`;
  const { stdout, stderr, status } = spawnSync('sh', ['-c', script], {
    cwd,
    env: { PATH: process.env['PATH'], LC_ALL: 'C.UTF-8' },
    encoding: 'latin1',
    timeout: 10_000,
  });
  return { stdout, stderr, status };
}

function ours(words: readonly ByteString[]): Ended {
  const request = readOptions(words, false);
  if (typeof request === 'string') throw new Error(request);
  const { output, complaints, failed } = resolveAll(request, () => '', false);
  return {
    stdout: output,
    stderr: complaints.map((line) => `realpath: ${line}\n`).join(''),
    status: failed ? 1 : 0,
  };
}

/**
 * Whether the links of a path lead on without end (a link `a` to `a/b`), which only the limit stops
 * where nothing must exist: GNU realpath never comes to an end there.
 */
function isEndless(path: ByteString): boolean {
  try {
    const logical = canonicalize(hostDisk, path, 'none', false);
    for (const name of [path, logical]) canonicalize(hostDisk, name, 'none', true);
    return false;
  } catch (error) {
    return error instanceof PathFault && error.code === 'ELOOP';
  }
}

describe.skipIf(!needs('realpath') || !isGnu)('nix-realpath and GNU realpath', () => {
  it(
    'agree on a thousand trees outside the store, with all combinations of options',
    { timeout: 300_000 },
    () => {
      let runs = 0;
      const property = fc.property(
        linkTree,
        fc.array(saidPath, { minLength: 1, maxLength: 12 }),
        saidPath,
        saidPath,
        (entries, operands, to, base) => {
          const root = join(folder, `tree ${runs}`);
          const { switches, relative } = COMBINATIONS[runs++ % COMBINATIONS.length] ?? COMBINATIONS[0]!;
          makeTree(root, entries);
          process.chdir(root);
          const values: Record<string, ByteString> = { to, base };
          const directories = relative.map(
            (name) => `--relative-${name}=${placed(values[name] ?? '', root)}`,
          );
          const words = [...switches, ...directories, '--', ...operands.map((path) => placed(path, root))];
          fc.pre(![...operands, to, base].some((path) => isEndless(placed(path, root))));
          expect(ours(words)).toEqual(gnu(words, root));
        },
      );
      fc.assert(property, { numRuns: 1000, endOnFailure: true });
      expect(runs).toBeGreaterThanOrEqual(1000);
    },
  );

  it('quote names in messages alike', () => {
    const character = fc.oneof(
      fc.constantFrom(...' !"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~aZ09\n\t\r\b\v\f\x07\x01\x1b\x7f\xff\x80'),
      fc.constantFrom('\xc3\xa9', '\xe2\x82\xac', '\xf0\x9f\x98\x80'),
    );
    const name = fc.array(character, { minLength: 0, maxLength: 6 }).map((parts) => parts.join(''));
    fc.assert(
      fc.property(fc.array(name, { minLength: 100, maxLength: 100 }), (names) => {
        const words = names.map((text) => (text === '' ? '' : `/no/${text}/n`));
        const wanted = words.map((word) => `realpath: ${quoted(word, true)}: No such file or directory\n`);
        expect(gnu(['-e', '--', ...words], folder).stderr).toBe(wanted.join(''));
      }),
      { numRuns: 10 },
    );
  });

  it('refuse the same command lines in the same words', () => {
    for (const words of [
      ['-x', 'a'],
      ['-ex', 'a'],
      ['--relative', 'a'],
      ['--canonicalize-', 'a'],
      ['--unknown=1', 'a'],
      ['--zero=1', 'a'],
      ['--st=1', 'a'],
      ['a', '--relative-to'],
    ]) {
      const told = gnu(words, folder).stderr.split('\n')[0];
      try {
        expect([words, readOptions(words, false)]).toEqual(told);
      } catch (error) {
        if (!(error instanceof UsageFault)) throw error;
        expect(`realpath: ${error.message}`).toBe(told);
      }
    }
  });

  it('read the same options: shortened, together, among the operands, behind --', () => {
    makeTree(join(folder, 'options'), [
      { path: 'a', kind: 'directory', target: '' },
      { path: 'l', kind: 'link', target: 'a' },
    ]);
    process.chdir(join(folder, 'options'));
    for (const words of [
      ['--canonicalize-e', 'l'],
      ['l/x', '-sz', 'a'],
      ['--st', 'l'],
      ['--relative-t', 'a', '--', 'l', '-z'],
      ['--relative-to=', 'l'],
      ['--relative-to=.', '--relative-to=a', 'l'],
      ['-sP', 'l'],
      ['-Ls', 'l'],
      ['-em', 'l/x/y'],
      ['-'],
      ['--', ''],
      ['-e', '--relative-base=a', '--relative-to=no', 'a'],
    ]) {
      expect([words, ours(words)]).toEqual([words, gnu(words, join(folder, 'options'))]);
    }
  });
});

it('paths on a terminal are quoted where it would not take them as they are', () => {
  const request = readOptions(['-m', '/a b/\x1b[1m', '/a'], false);
  if (typeof request === 'string') throw new Error(request);
  expect(resolveAll(request, () => '', true).output).toBe("'/a b/'$'\\033''[1m'\n/a\n");
  expect(resolveAll(request, () => '', false).output).toBe('/a b/\x1b[1m\n/a\n');
});
