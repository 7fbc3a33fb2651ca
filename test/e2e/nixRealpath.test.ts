import { execFileSync, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
  mkdtempSync,
  realpathSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { narScanReport, ROOT } from '../support/narScan.ts';
import { needs } from '../support/programs.ts';
import { HomeStore, SymlinkedStore, takesLinkedStores } from '../support/realNix.ts';

const NIX_REALPATH = join(ROOT, 'bin/nix-realpath');
const SHELL_FUNCTION = join(ROOT, 'src/cli/realpath/nix-realpath.sh');

/**
 * Writes the real path of its first argument to its second one: by libc, and by the system call that
 * tells where an open directory lies. With a third argument it asks that program instead.
 */
const CANONICALISER = `
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>
int main(int argc, char **argv) {
  char path[PATH_MAX + 1] = "", fd[64];
  FILE *out = fopen(argv[2], "w");
  if (!out) return 1;
  if (argc > 3) {
    char command[2 * PATH_MAX];
    snprintf(command, sizeof command, "'%s' '%s'", argv[3], argv[1]);
    FILE *told = popen(command, "r");
    if (!told || !fgets(path, sizeof path, told) || pclose(told)) return 2;
    fprintf(out, "prefix=%s", path);
  } else {
#ifdef SYSTEM_CALLS
    snprintf(fd, sizeof fd, "/proc/self/fd/%d", open(argv[1], O_PATH));
    if (syscall(SYS_readlinkat, AT_FDCWD, fd, path, PATH_MAX) < 0) return 3;
#else
    if (!realpath(argv[1], path)) return 3;
#endif
    fprintf(out, "prefix=%s\\n", path);
  }
  return fclose(out);
}`;

describe.skipIf(!needs('nix-store', 'nix-build', 'realpath', 'gcc') || !takesLinkedStores())(
  'a store that is reached through a link, and builders that canonicalise their output',
  () => {
    let store: SymlinkedStore;
    let tools: string;
    beforeAll(() => {
      store = new SymlinkedStore();
      tools = mkdtempSync(join(tmpdir(), 'nar-scan-tools-'));
      writeFileSync(join(tools, 'c.c'), CANONICALISER);
      const compile = (name: string, ...flags: string[]) =>
        execFileSync('gcc', [...flags, '-o', join(tools, name), join(tools, 'c.c')]);
      compile('dynamic');
      compile('static', '-static', '-DSYSTEM_CALLS');
    });
    afterAll(() => {
      store[Symbol.dispose]();
      rmSync(tools, { recursive: true });
    });

    const written = (path: string): string => readFileSync(join(path, 'conf'), 'utf8');
    const c = (program: string, ...asked: string[]): string =>
      `mkdir $out; ${join(tools, program)} $out $out/conf ${asked.join(' ')}`;
    const builders: Readonly<Record<string, () => readonly [leaking: string, clean: string]>> = {
      'in sh': () => [
        'mkdir $out; echo prefix=$(realpath $out) > $out/conf; ln -s $(realpath $out)/conf $out/link',
        `mkdir $out; echo prefix=$(${NIX_REALPATH} $out) > $out/conf; ln -s $(${NIX_REALPATH} $out)/conf $out/link`,
      ],
      'in C': () => [c('dynamic'), c('dynamic', NIX_REALPATH)],
      'in a static binary': () => [c('static'), c('static', NIX_REALPATH)],
      'in sh without Node, from its output': () => [
        'mkdir $out; cd -P $out; echo prefix=$(pwd -P) > conf',
        `mkdir $out; cd -P $out; . ${SHELL_FUNCTION}; echo prefix=$(nix_realpath .) > conf`,
      ],
    };

    for (const [where, scripts] of Object.entries(builders)) {
      it(`leak ${where}, and do not with nix-realpath`, () => {
        const [leaking, clean] = scripts();
        const name = where.replaceAll(/[ ,]+/g, '-');
        const leaked = store.build(`leaking-${name}`, leaking);
        const kept = store.build(`clean-${name}`, clean);
        expect(written(leaked)).toBe(`prefix=${leaked.replace(store.storeDir, store.physicalStoreDir)}\n`);
        expect(written(kept)).toBe(`prefix=${kept}\n`);
        const options = ['--no-host-homes', '--home', store.home, '--store-dir', store.storeDir];
        const { report, status } = narScanReport([...options, leaked, kept]);
        expect(report.outputs.map(({ storePath, verdict }) => [storePath, verdict])).toEqual([
          [leaked, 'contaminated'],
          [kept, 'clean'],
        ]);
        expect(status).toBe(1);
      });
    }
  },
);

describe.skipIf(!needs('nix', 'nix-store', 'nix-build', 'bwrap'))('a store that is bound to /nix', () => {
  it('is /nix/store from the physical side, too', () => {
    using store = new HomeStore('bound');
    const path = store.build('x', 'mkdir $out');
    const physical = join(store.physicalStoreDir, path.slice('/nix/store/'.length));
    const script = `cd ${physical} && ${NIX_REALPATH} . ${physical} ${path} && . ${SHELL_FUNCTION} && nix_realpath . ${physical} ${path}`;
    const [program = '', ...words] = store.seen('sh', '-c', script);
    const { stdout, stderr } = spawnSync(program, words, { env: { PATH: process.env['PATH'] } });
    expect([stdout.toString(), stderr.toString()]).toEqual([`${path}\n`.repeat(6), '']);
  });
});

describe('nix-realpath', () => {
  let folder: string;
  beforeAll(() => {
    folder = realpathSync(mkdtempSync(join(tmpdir(), 'nar-scan-realpath-')));
    mkdirSync(join(folder, 'home/store/x/bin'), { recursive: true });
    mkdirSync(join(folder, 'home/store/y'));
    symlinkSync('home/store', join(folder, 'store'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  /** Bytes as they are: a shell makes the arguments. */
  const run = (script: string, env: Record<string, string> = {}) => {
    const { stdout, stderr, status } = spawnSync('sh', ['-c', script.replaceAll('@', NIX_REALPATH)], {
      cwd: folder,
      env: { NIX_STORE_DIR: join(folder, 'store'), ...env },
      encoding: 'latin1',
    });
    return [stdout, stderr, status];
  };
  const lines = (...paths: readonly string[]): string =>
    paths.map((path) => `${join(folder, path)}\n`).join('');

  it('starts by its name, by links and with an empty environment', () => {
    symlinkSync(NIX_REALPATH, join(folder, 'realpath'));
    expect(run('@ home/store/x store')).toEqual([lines('store/x', 'store'), '', 0]);
    const env = { NAR_SCAN_NODE: process.execPath };
    expect(run('./realpath home/store/x', env)).toEqual([lines('store/x'), '', 0]);
    expect(run('@ home/store', { NIX_STORE_DIR: '' })).toEqual([lines('home/store'), '', 0]);
  });

  it('takes and gives bytes', () => {
    const name = join(folder, 'store/x/\xff\n');
    expect(run(`@ -z "$(printf 'home/store/x/\\377\\n.')" "home/st\xf6re"`)[2]).toBe(0);
    expect(run(`n=$(printf 'home/store/x/\\377\\n.'); @ -z "\${n%.}"`)).toEqual([`${name}\0`, '', 0]);
    expect(run(`@ -e "$(printf '\\377')"`)).toEqual([
      '',
      "nix-realpath: ''$'\\377': No such file or directory\n",
      1,
    ]);
  });

  it('knows the store by options and variables, and refuses what can be none', () => {
    const state = { NIX_STORE_DIR: '', NIX_STATE_DIR: join(folder, 'store') };
    expect(run('@ home/store/x', state)).toEqual([lines('store/x'), '', 0]);
    expect(run('@ home/store/x', { NIX_STORE_DIR: '', NIX_STORE: join(folder, 'store') })[0]).toBe(
      lines('store/x'),
    );
    expect(run(`@ --store-dir=${folder}/store home/store/x`, { NIX_STORE_DIR: '/no' })[0]).toBe(
      lines('store/x'),
    );
    for (const [script, env] of [
      ['@ --store-dir=x .', {}],
      ['@ --state-dir / .', {}],
      ['@ .', { NIX_STORE_DIR: 'x' }],
    ] as const) {
      const [stdout, stderr, status] = run(script, env);
      expect([stdout, status]).toEqual(['', 1]);
      expect(stderr).toMatch(
        /^nix-realpath: .* is no absolute path of a directory\nTry 'nix-realpath --help'/,
      );
    }
  });

  it('gives no relative path out of a store that lies elsewhere: it would lead nowhere', () => {
    expect(run('@ --relative-to=store/x store/y')).toEqual(['../y\n', '', 0]);
    expect(run('@ --relative-to=store/x home /etc')).toEqual([`${lines('home')}/etc\n`, '', 0]);
    expect(run('@ --relative-to=home store/y .')).toEqual(['../store/y\n..\n', '', 0]);
    expect(run('@ --relative-base=store store/y home')).toEqual([`y\n${lines('home')}`, '', 0]);
  });

  it('prints help, its version, and the function for sh; refuses anything else', () => {
    expect(run('@ --help')[0]).toMatch(/^Usage: nix-realpath \[OPTION\]\.\.\. FILE\.\.\.\n/);
    expect(run('@ --version')).toEqual([
      expect.stringMatching(/^nix-realpath \(nar-scan\) [0-9.]+\n$/),
      '',
      0,
    ]);
    expect(run('eval "$(@ --sh)" && nix_realpath home/store/x', { PATH: '/usr/bin:/bin' })[0]).toBe(
      lines('store/x'),
    );
    const advice = "Try 'nix-realpath --help' for more information.\n";
    expect(run('@')).toEqual(['', `nix-realpath: missing operand\n${advice}`, 1]);
    expect(run("@ '-\x1b'")).toEqual(['', `nix-realpath: invalid option -- '\\x1b'\n${advice}`, 1]);
  });

  it.skipIf(!existsSync('/dev/full'))(
    'tells that its output could not be written, but not of a reader who has gone',
    () => {
      expect(run('@ . > /dev/full')).toEqual(['', 'nix-realpath: write error: No space left on device\n', 1]);
      expect(run('{ @ /; echo $? >&2; } | :')[1]).toBe('0\n');
    },
  );
});
