import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeElf } from '../support/elfWriter.ts';
import { narScan, narScanReport, onlyOutput, type ReportedFinding } from '../support/narScan.ts';
import { needs } from '../support/programs.ts';
import { SymlinkedStore } from '../support/realNix.ts';

const README = 'Made in /home/upstream/dev/x.c by hand.\nA home: /home/upstream\n';
const RUNPATH = 29;

/** Findings by entry, in the order of their offsets: severity, and the name of the source they are from. */
function told(findings: readonly ReportedFinding[]): Record<string, string> {
  const texts: Record<string, string> = {};
  for (const { severity, location, origin, source } of findings) {
    const from = origin === undefined ? '' : ` of ${source?.replace(/^.*\/[a-z0-9]{32}-/, '')}`;
    const before = texts[location.entry];
    texts[location.entry] = `${before === undefined ? '' : `${before}, `}${severity}${from}`;
  }
  return texts;
}

describe.skipIf(!needs('nix-build', 'nix-store', 'tar'))('foreign homes of an output of the real Nix', () => {
  let store: SymlinkedStore;
  let environment: NodeJS.ProcessEnv;

  const scan = (args: readonly string[], env: NodeJS.ProcessEnv = {}) =>
    narScanReport(['--no-host-homes', ...args], { env: { ...environment, ...env } });
  const findingsOf = (path: string, args: readonly string[] = []) =>
    told(onlyOutput(scan([...args, path]).report).findings);

  /** Builds with a shell script that finds each source in the variable of its name. */
  const build = (name: string, sources: Readonly<Record<string, string>>, script: string): string => {
    const named = Object.entries(sources).map(([variable, source]) => `${variable} = ${source};`);
    const expression = `derivation { name = "${name}"; system = "x86_64-linux"; builder = "/bin/sh"; PATH = "/usr/bin:/bin";
      ${named.join(' ')} args = [ "-c" ''mkdir -p $out\n${script}'' ]; }`;
    return store.buildExpression(name, expression).trim();
  };

  /** An expression for a file whose content is fixed beforehand, as fetched ones are. */
  const fetched = (name: string, content: Buffer): string => {
    const file = join(store.folder, `${name}.upstream`);
    writeFileSync(file, content);
    const hash = createHash('sha256').update(content).digest('hex');
    return `(derivation { name = "${name}"; system = "x86_64-linux"; builder = "/bin/sh"; PATH = "/usr/bin:/bin";
      outputHashAlgo = "sha256"; outputHash = "${hash}"; args = [ "-c" "cat ${file} > $out" ]; })`;
  };

  beforeAll(() => {
    store = new SymlinkedStore();
    appendFileSync(join(store.folder, 'conf/nix.conf'), 'extra-experimental-features = ca-derivations\n');
    environment = {
      PATH: process.env['PATH'],
      NIX_STATE_DIR: join(store.folder, 'var/nix'),
      NIX_STORE_DIR: store.storeDir,
    };
    const source = join(store.folder, 'upstream-1.0');
    mkdirSync(source);
    writeFileSync(join(source, 'README'), README);
    writeFileSync(join(source, 'tool'), '#!/home/upstream/bin/perl\n');
    symlinkSync('/home/upstream/share/x', join(source, 'link'));
    const program = { wide: true, big: false, strings: [[RUNPATH, '/home/upstream/lib']] } as const;
    writeFileSync(join(store.folder, 'program'), writeElf(program));
  });
  afterAll(() => store[Symbol.dispose]());

  it('are notes where upstream wrote them, warnings and errors where the build did', () => {
    const path = build(
      'copied',
      { source: './upstream-1.0', program: './program' },
      `cp $source/README $out/copied
      printf 'int main; "/home/upstream/dev/x.c"' > $out/compiled
      gzip -c < $source/README > $out/packed.gz
      echo /home/upstream/dev/other.c > $out/invented
      echo /home/upstream/dev/x.cc > $out/longer
      echo /home/upstream/dev > $out/shorter
      echo /home/upstream > $out/home
      cp $source/tool $out/script
      echo '#!/home/upstream/dev/x.c' > $out/wrapped
      ln -s /home/upstream/dev/x.c $out/link
      ln -s /home/upstream/share/x $out/copied-link
      cp $program $out/program`,
    );
    expect(findingsOf(path)).toEqual({
      // a home alone is no text that one would know again
      copied: 'note of upstream-1.0, warning',
      compiled: 'note of upstream-1.0',
      'packed.gz': 'note of upstream-1.0, warning',
      invented: 'warning',
      longer: 'warning',
      shorter: 'warning',
      home: 'warning',
      script: 'note of upstream-1.0',
      wrapped: 'error',
      link: 'error',
      'copied-link': 'note of upstream-1.0',
      program: 'note of program',
    });
  });

  it('are errors in a field that only text of a source names', () => {
    writeFileSync(join(store.folder, 'mention'), '/home/upstream/lib\n');
    const path = build('linked', { source: './mention' }, `cp ${store.folder}/program $out/program`);
    expect(findingsOf(path)).toEqual({ program: 'error' });
  });

  it('are notes where a fetched archive holds them', () => {
    const tar = execFileSync('tar', ['-C', store.folder, '-c', 'upstream-1.0']);
    const source = fetched('upstream.tar.gz', gzipSync(tar));
    const path = build(
      'unpacked',
      { source },
      'printf /home/upstream/dev/x.c > $out/x; echo /home/upstream/y > $out/y',
    );
    expect(findingsOf(path)).toEqual({ x: 'note of upstream.tar.gz', y: 'warning' });
  });

  it('stay as they are where a source holds more than a scan may unpack', () => {
    const content = Buffer.concat([Buffer.from('/home/upstream/packed.c\n'), Buffer.alloc(100_000, '.\n')]);
    const source = fetched('large.gz', gzipSync(content));
    const path = build('small', { source }, 'echo /home/upstream/packed.c > $out/x');
    expect(findingsOf(path)).toEqual({ x: 'note of large.gz' });
    expect(findingsOf(path, ['--max-expanded', '50K'])).toEqual({ x: 'warning' });
    expect(findingsOf(path, ['--max-depth', '0'])).toEqual({ x: 'warning' });
  });

  it('are no notes where another build made what is called a source', () => {
    const built = build('built', {}, 'echo /home/bob/work/x.c > $out/x');
    const path = build('dependent', { source: `builtins.storePath ${built}` }, 'cp $source/x $out/x');
    expect(findingsOf(path)).toEqual({ x: 'warning' });
    const after = build('after', { source: `(import ./built.nix)` }, 'cp $source/x $out/x');
    expect(findingsOf(after)).toEqual({ x: 'warning' });
  });

  it('stay as they are where the content decides the path, and then explain nothing', () => {
    // a derivation of this kind does not name its output
    const script = 'mkdir $out; cp $source/README $out/x; echo /home/bob/x.c > $out/y';
    const expression = `derivation { name = "by-content"; system = "x86_64-linux"; builder = "/bin/sh"; PATH = "/usr/bin:/bin";
      __contentAddressed = true; outputHashMode = "recursive"; outputHashAlgo = "sha256";
      source = ./upstream-1.0; args = [ "-c" "${script}" ]; }`;
    const path = store.buildExpression('by-content', expression).trim();
    expect(findingsOf(path)).toEqual({ x: 'warning, warning', y: 'warning' });
    const later = build('later', { source: `builtins.storePath ${path}` }, 'cp $source/y $out/y');
    expect(findingsOf(later)).toEqual({ y: 'warning' });
  });

  it('stay as they are where the source or the derivation is gone', () => {
    const source = join(store.folder, 'gone');
    writeFileSync(source, '/home/upstream/gone.c\n');
    const path = build('without', { source: './gone' }, 'cat $source > $out/x');
    expect(findingsOf(path)).toEqual({ x: 'note of gone' });
    const derivation = store.deriver(path);
    const kept = join(store.folder, 'kept.drv');
    const bytes = readFileSync(derivation);
    writeFileSync(kept, bytes);
    const [inStore = ''] = bytes.toString().match(/"[^"]*-gone"/) ?? [];
    store.delete(path);
    store.delete(derivation);
    const again = build('without', { source: './gone' }, 'cat $source > $out/x');
    expect(again).toBe(path);
    store.delete(derivation);
    expect(findingsOf(path)).toEqual({ x: 'warning' });
    expect(findingsOf(path, ['--drv', kept])).toEqual({ x: 'note of gone' });
    rmSync(JSON.parse(inStore) as string);
    expect(findingsOf(path, ['--drv', kept])).toEqual({ x: 'warning' });
  });

  it('follow the derivation that is named, where it has the output', () => {
    const path = build('named', { source: './upstream-1.0' }, 'echo /home/upstream/dev/x.c > $out/x');
    const other = build('other', {}, 'echo /home/upstream/dev/x.c > $out/x');
    const bare = { NIX_STATE_DIR: join(store.folder, 'none') };
    const drv = store.deriver(path);
    const both = scan(['--drv', drv, path, other]).report.outputs;
    expect(both.map(({ findings }) => told(findings))).toEqual([
      { x: 'note of upstream-1.0' },
      { x: 'warning' },
    ]);
    expect(told(onlyOutput(scan([other], { DRV_PATH: drv }).report).findings)).toEqual({ x: 'warning' });
    // nobody says that the source is valid
    expect(told(onlyOutput(scan(['--drv', drv, path], bare).report).findings)).toEqual({ x: 'warning' });
  });

  it('cannot come of a derivation that makes nothing of what is scanned', () => {
    const path = build('mine', {}, 'echo nothing > $out/x');
    const drv = store.deriver(build('stranger', {}, 'echo something > $out/x'));
    const { status, stderr, report } = scan(['--drv', drv, path]);
    expect([status, report.outputs]).toEqual([2, []]);
    expect(stderr).toContain('makes none of the targets, but ');
  });

  it('follow the derivation of the environment, where another is the deriver', () => {
    const content = Buffer.from('/home/upstream/same.c\n');
    writeFileSync(join(store.folder, 'same-source'), content);
    const output = fetched('same', content);
    const path = store.buildExpression('same', output).trim();
    const other = output.replace('derivation {', 'derivation { source = ./same-source;');
    expect(store.buildExpression('same-again', other).trim()).toBe(path);
    const deriver = store.deriver(path);
    const drvs = readdirSync(store.storeDir).filter((name) => name.endsWith('-same.drv'));
    const [drv = ''] = drvs.map((name) => join(store.storeDir, name)).filter((file) => file !== deriver);
    expect(findingsOf(path)).toEqual({ '': 'warning' });
    const { report } = scan([path], { DRV_PATH: drv });
    expect(told(onlyOutput(report).findings)).toEqual({ '': 'note of same-source' });
  });

  it('are the same by what is remembered of outputs and sources', () => {
    writeFileSync(join(store.folder, 'kept'), '/home/upstream/kept.c\n');
    const path = build(
      'remembered',
      { source: './kept' },
      'cat $source > $out/x; echo /home/upstream/late.c > $out/y',
    );
    const state = { NAR_SCAN_STATE: join(store.folder, 'state') };
    const again = (...args: readonly string[]) =>
      told(onlyOutput(scan([...args, path], state).report).findings);
    for (let run = 0; run < 3; run++) expect(again()).toEqual({ x: 'note of kept', y: 'warning' });
    expect(again('--no-ledger')).toEqual({ x: 'note of kept', y: 'warning' });
    // what was changed behind Nix's back is no source
    const [, source = ''] = /"([^"]*-kept)"/.exec(readFileSync(store.deriver(path), 'utf8')) ?? [];
    chmodSync(source, 0o644);
    appendFileSync(source, '/home/upstream/late.c\n');
    expect(again()).toEqual({ x: 'warning', y: 'warning' });
  });

  it('are known homes wherever they stand', () => {
    const path = build('known', { source: './upstream-1.0' }, 'echo /home/upstream/dev/x.c > $out/x');
    expect(scan([path]).status).toBe(0);
    const { status, report } = scan(['--home', '/home/upstream', path]);
    expect([status, told(onlyOutput(report).findings)]).toEqual([1, { x: 'error' }]);
  });

  it('keep the severity that a policy gives them', () => {
    const path = build('policed', { source: './upstream-1.0' }, 'echo /home/upstream/dev/x.c > $out/x');
    const policy = join(store.folder, 'policy.toml');
    writeFileSync(policy, '[rules]\nforeign-home = "error"\n');
    expect(findingsOf(path, ['--policy', policy])).toEqual({ x: 'error of upstream-1.0' });
    expect(scan(['--strict', path]).status).toBe(0);
  });

  it('say in the report for people whose text they are', () => {
    const path = build('shown', { source: './upstream-1.0' }, 'echo /home/upstream/dev/x.c > $out/x');
    const { stdout } = narScan(['--no-host-homes', '--verbose', path], { env: environment });
    expect(stdout).toMatch(
      /note foreign-home \/home\/upstream \(bytes at 0\) as in the source \/\S+-upstream-1\.0\n/,
    );
  });

  it('need a derivation that is one', () => {
    const path = build('plain', {}, 'echo /home/upstream/dev/x.c > $out/x');
    const none = join(store.folder, 'none.drv');
    writeFileSync(none, 'Derive(');
    for (const [file, code] of [
      [none, 'DERIVATION_INVALID'],
      [join(store.folder, 'missing.drv'), 'DERIVATION_UNREADABLE'],
    ] as const) {
      const { status, stderr, report } = scan(['--drv', file, path]);
      expect([status, report.outputs]).toEqual([2, []]);
      expect(stderr).toMatch(new RegExp(`^nar-scan: the derivation '[^\\n]+ \\[${code}\\]; [^\\n]+\\n$`));
    }
    // one that the environment names is not asked for
    expect(scan([path], { DRV_PATH: none }).status).toBe(0);
  });
});
