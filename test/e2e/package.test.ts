import { execFileSync, spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ROOT, type Report } from '../support/narScan.ts';
import { directory, file, nar } from '../support/narWriter.ts';
import { needs } from '../support/programs.ts';

interface Manifest {
  readonly bin: Record<string, string>;
  readonly scripts: Record<string, string>;
  readonly dependencies?: Record<string, string>;
  readonly optionalDependencies?: Record<string, string>;
}

const manifest = (folder: string): Manifest =>
  JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest;

/** Somebody's folder in which the package was installed, with what it depends on and nothing else. */
let folder: string;
let files: readonly string[];

/** Copies a dependency and those it has itself, as npm lays them side by side. */
function install(name: string): void {
  const source = join(ROOT, 'node_modules', name);
  const place = join(folder, 'node_modules', name);
  mkdirSync(dirname(place), { recursive: true });
  cpSync(source, place, { recursive: true });
  const { dependencies, optionalDependencies } = manifest(source);
  for (const inner of Object.keys(dependencies ?? {})) install(inner);
  // builds for other systems are not on this one
  for (const inner of Object.keys(optionalDependencies ?? {})) {
    if (existsSync(join(ROOT, 'node_modules', inner))) install(inner);
  }
}

describe.skipIf(!needs('npm', 'tar', 'xz'))('the package', () => {
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'nar-scan-package-'));
    const modules = join(folder, 'node_modules');
    mkdirSync(join(modules, '.bin'), { recursive: true });
    execFileSync('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', folder], {
      cwd: ROOT,
    });
    const [tarball = ''] = execFileSync('sh', ['-c', 'ls *.tgz'], { cwd: folder, encoding: 'utf8' }).split(
      '\n',
    );
    execFileSync('tar', ['-xzf', tarball], { cwd: folder });
    const place = join(modules, 'nar-scan');
    cpSync(join(folder, 'package'), place, { recursive: true });
    files = execFileSync('tar', ['-tzf', tarball], { cwd: folder, encoding: 'utf8' })
      .trimEnd()
      .split('\n')
      .map((name) => name.replace(/^package\//, ''));
    for (const name of Object.keys(manifest(place).dependencies ?? {})) install(name);
    for (const [name, path] of Object.entries(manifest(place).bin)) {
      symlinkSync(join('..', 'nar-scan', path), join(modules, '.bin', name));
    }
  });

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const run = (program: string, args: readonly string[]) =>
    spawnSync(program, args, {
      cwd: folder,
      env: { NAR_SCAN_NODE: process.execPath },
      encoding: 'utf8',
    });
  const scan = (...targets: readonly string[]) =>
    run('node_modules/.bin/nar-scan', [
      '--no-host-homes',
      '--home',
      '/home/noamyr',
      '--format',
      'json',
      ...targets,
    ]);

  it('holds what it must, and no sources or tests', () => {
    for (const name of [
      'package.json',
      'README.md',
      'LICENSE',
      'SECURITY.md',
      'bin/nar-scan',
      'dist/report.schema.json',
      'dist/gate.schema.json',
      'dist/types/index.d.ts',
      'dist/nix-realpath.1',
      'dist/bundle/realpath/nix-realpath.sh',
      'dist/bundle/liblzma.wasm',
      'dist/bundle/liblzma.LICENSE',
    ]) {
      expect(files).toContain(name);
    }
    const known = /^(?:package\.json|README\.md|LICENSE|SECURITY\.md|bin\/|dist\/)/;
    expect(files.filter((name) => !known.test(name) || /\.test\.|\.map$|fixtures/.test(name))).toEqual([]);
  });

  it('runs nothing when it is installed', () => {
    const scripts = Object.keys(manifest(join(folder, 'node_modules/nar-scan')).scripts);
    expect(scripts.filter((name) => /^(?:pre|post)?install$/.test(name))).toEqual([]);
  });

  it('starts by its name and by a link, and says its version', () => {
    const { stdout, stderr, status } = run('node_modules/.bin/nar-scan', ['--version']);
    expect([stdout, stderr, status]).toEqual([`nar-scan ${version()}\n`, '', 0]);
  });

  it('starts nix-realpath by its name, although links are not packed', () => {
    const { stdout, stderr, status } = run('node_modules/.bin/nix-realpath', [
      'node_modules/.bin/nix-realpath',
    ]);
    expect([stdout, stderr, status]).toEqual([
      `${realpathSync(join(folder, 'node_modules/nar-scan/bin/nar-scan'))}\n`,
      '',
      0,
    ]);
    expect(run('node_modules/.bin/nix-realpath', ['--sh']).stdout).toContain('nix_realpath() (');
  });

  it('reads trees, and NARs that are compressed: its WebAssembly is found', () => {
    const leaking = nar(directory(['tool', file('prefix=/home/noamyr/x\n')]));
    mkdirSync(join(folder, 'tree'));
    writeFileSync(join(folder, 'tree/tool'), 'prefix=/home/noamyr/x\n');
    writeFileSync(join(folder, 'x.nar'), leaking);
    writeFileSync(join(folder, 'x.nar.gz'), gzipSync(leaking));
    writeFileSync(join(folder, 'x.nar.xz'), execFileSync('xz', ['-c'], { input: leaking }));
    const targets = ['tree', 'x.nar', 'x.nar.gz', 'x.nar.xz'];
    const { stdout, stderr, status } = scan(...targets);
    expect([stderr, status]).toEqual(['', 1]);
    const { outputs } = JSON.parse(stdout) as Report;
    expect(outputs.map(({ target, findings, gaps }) => [target, findings.length, gaps])).toEqual(
      targets.map((target) => [target, 1, []]),
    );
  });

  it('is imported by programs, with its schemas', () => {
    writeFileSync(
      join(folder, 'program.mjs'),
      `import { scan } from 'nar-scan';
      import schema from 'nar-scan/report.schema.json' with { type: 'json' };
      import gate from 'nar-scan/gate.schema.json' with { type: 'json' };
      const request = { storeDir: '/nix/store', homes: ['/home/noamyr'], hostHomes: false, aliases: [] };
      const { outputs, errors } = await scan({
        ...request, targets: ['tree', 'x.nar.xz'], limits: {}, hashNars: true, exportStream: false,
      });
      console.log(outputs.map(({ findings }) => findings.length).join(), errors.length, typeof schema, typeof gate);`,
    );
    const { stdout, stderr } = run(process.execPath, ['program.mjs']);
    expect([stdout, stderr]).toEqual(['1,1 0 object object\n', '']);
  });
});

function version(): string {
  return (JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string }).version;
}
