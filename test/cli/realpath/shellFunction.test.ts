import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SHELL_FUNCTION } from '../../../src/cli/realpath/shellFunction.ts';
import { canonicalize, PathFault } from '../../../src/nix/canonicalize.ts';
import { hostDisk } from '../../../src/nix/hostDisk.ts';
import type { ByteString } from '../../../src/model/bytes.ts';
import { nixRealpath, type RealpathOptions } from '../../../src/nix/realpath.ts';
import { linkTree, makeTree, placed, saidPath } from '../../support/linkTrees.ts';
import { ROOT } from '../../support/narScan.ts';
import { needs } from '../../support/programs.ts';

const SHELLS = [['dash'], ['bash', '--norc', '--posix'], ['busybox', 'sh'], ['sh']] as const;
const MODES: readonly (readonly [options: string, RealpathOptions])[] = [
  ['', {}],
  ['-e', { existence: 'all' }],
  ['-m', { existence: 'none' }],
  ['-es', { existence: 'all', links: 'none' }],
  ['-L', { links: 'logical' }],
  ['-eL', { existence: 'all', links: 'logical' }],
  ['-ms', { existence: 'none', links: 'none' }],
];

let folder: string;
let runs = 0;
beforeAll(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'nar-scan-realpath-')));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What the function prints of paths, run in a shell under the strictest settings; null for one that it refuses. */
function said(
  shell: readonly string[],
  options: string,
  paths: readonly ByteString[],
  cwd: string,
  env: Record<string, string> = {},
): readonly (string | null)[] {
  const octal = (text: ByteString) =>
    [...text].map((c) => `\\${c.charCodeAt(0).toString(8).padStart(3, '0')}`).join('');
  const calls = paths.map(
    (path) =>
      `w=$(printf '${octal(path)}.'); w=\${w%.}; nix_realpath -zq ${options} -- "$w" || printf '!\\0';`,
  );
  const script = `set -eu; . ${join(ROOT, 'src/cli/realpath', SHELL_FUNCTION)}; ${calls.join(' ')}`;
  const [program = '', ...words] = shell;
  const { stdout, stderr } = spawnSync(program, [...words, '-c', script], {
    cwd,
    env: { PATH: process.env['PATH'], ...env },
  });
  expect(stderr.toString()).toBe('');
  const answers = stdout.toString('latin1').split('\0').slice(0, -1);
  return answers.map((answer) => (answer === '!' ? null : answer));
}

for (const shell of SHELLS) {
  describe.skipIf(!needs('readlink') || (shell[0] !== 'sh' && !needs(shell[0])))(
    `nix_realpath in ${shell.join(' ')}`,
    () => {
      it('agrees with nix-realpath outside the store', () => {
        const property = fc.property(
          linkTree,
          fc.array(saidPath, { minLength: 1, maxLength: 12 }),
          fc.constantFrom(...MODES),
          (entries, operands, [options, mode]) => {
            const root = join(folder, `tree ${runs++}`);
            makeTree(root, entries);
            const text = operands.map((path) => placed(path, root));
            const wanted: (string | null)[] = [];
            const asked: string[] = [];
            const cwd = process.cwd();
            process.chdir(root);
            try {
              for (const path of text) {
                // a loop is an error for the function, whatever must exist
                if (mode.existence === 'none' && isLoop(path)) continue;
                asked.push(path);
                wanted.push(resolvedOrNull(path, mode));
              }
            } finally {
              process.chdir(cwd);
            }
            expect(said(shell, options, asked, root)).toEqual(wanted);
          },
        );
        fc.assert(property, { numRuns: 60 });
      });

      it('keeps the logical name of the store and the state directory', () => {
        const place = mkdtempSync(join(folder, 'store-'));
        const physical = join(place, 'home/noamyr/nix');
        mkdirSync(join(physical, 'store/x/bin'), { recursive: true });
        mkdirSync(join(physical, 'var/nix/profiles'), { recursive: true });
        writeFileSync(join(physical, 'store/x/bin/tool'), '');
        symlinkSync(physical, join(place, 'nix'));
        symlinkSync('nix/store/x', join(place, 'result'));
        const logical = join(place, 'nix');
        const paths = [
          join(logical, 'store/x/bin/tool'),
          join(physical, 'store/x'),
          'store/x/../x/bin',
          '../../../result/bin/new',
          join(physical, 'store'),
          join(physical, 'var/nix/profiles'),
          place,
        ];
        const names = [
          'store/x/bin/tool',
          'store/x',
          'store/x/bin',
          'store/x/bin/new',
          'store',
          'var/nix/profiles',
        ];
        const wanted = [...names.map((name) => join(logical, name)), place];
        for (const variable of ['NIX_STORE_DIR', 'NIX_STORE']) {
          const env = { [variable]: join(logical, 'store/') };
          expect(said(shell, '', paths, physical, env)).toEqual(wanted);
        }
      });
    },
  );
}

function isLoop(path: string): boolean {
  try {
    canonicalize(hostDisk, path, 'all', true);
    return false;
  } catch (error) {
    return error instanceof PathFault && error.code === 'ELOOP';
  }
}

function resolvedOrNull(path: string, mode: RealpathOptions): string | null {
  try {
    return nixRealpath(Buffer.from(path, 'latin1'), mode).toString('latin1');
  } catch {
    return null;
  }
}
