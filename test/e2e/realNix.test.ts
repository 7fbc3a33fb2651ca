import { gzipSync } from 'node:zlib';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  leakLines,
  NAR_SCAN,
  narScanReport,
  onlyOutput,
  type Report,
  type ReportedOutput,
  STATE,
} from '../support/narScan.ts';
import { needs } from '../support/programs.ts';
import { HomeStore, NIX_COMPRESSIONS, SymlinkedStore } from '../support/realNix.ts';

const LEAKING = `
  mkdir -p $out/bin $out/share
  here=$(realpath $out)
  printf '#!%s/bin/sh\\nexec echo tool\\n' "$here" > $out/bin/tool
  chmod +x $out/bin/tool
  ln -s "$here/bin/tool" $out/bin/alias
  printf 'prefix=%s\\n' "$here" > $out/share/tool.conf
  head -c 300000 /dev/zero > $out/share/zeros
  printf 'late=%s\\n' "$here" >> $out/share/zeros`;

const CLEAN = `
  mkdir -p $out/bin
  printf '#!%s/bin/sh\\nexec echo tool\\n' "$out" > $out/bin/tool
  ln -s "$out/bin/tool" $out/bin/alias`;

describe.skipIf(!needs('nix', 'nix-store', 'nix-build'))(
  'a store of the real Nix that lies in a home',
  () => {
    let store: SymlinkedStore;
    let leaking: string;
    let clean: string;
    let options: readonly string[];
    let fromTree: ReportedOutput;

    const scan = (target: string, stdin?: Uint8Array) =>
      narScanReport([...options, target], stdin === undefined ? {} : { stdin });

    beforeAll(() => {
      store = new SymlinkedStore();
      leaking = store.build('tool-1.0', LEAKING);
      clean = store.build('clean-1.0', CLEAN);
      options = ['--no-host-homes', '--home', store.home, '--store-dir', store.storeDir];
      fromTree = onlyOutput(scan(leaking).report);
    });

    afterAll(() => {
      store[Symbol.dispose]();
    });

    it('reports the script line, the symlink and the alias, and exits with 1', () => {
      const { status, report } = scan(leaking);
      const output = onlyOutput(report);
      expect(status).toBe(1);
      expect(report.verdict).toBe('contaminated');
      expect(output.storePath).toBe(leaking);
      const name = leaking.slice(store.storeDir.length + 1);
      const physical = `${store.physicalStoreDir}/${name}`;
      const common = {
        severity: 'error',
        rule: 'known-home',
        home: store.home,
        alias: store.physicalStoreDir,
      };
      const at = (entry: string, offset: number) => expect.objectContaining({ entry, offset });
      expect(output.findings).toContainEqual(
        expect.objectContaining({ ...common, carrier: 'shebang', location: at('bin/tool', 2) }),
      );
      expect(output.findings).toContainEqual(
        expect.objectContaining({ ...common, carrier: 'symlink', location: at('bin/alias', 0) }),
      );
      expect(output.findings).toContainEqual(
        expect.objectContaining({ ...common, carrier: 'bytes', location: at('share/tool.conf', 7) }),
      );
      expect(output.findings).toContainEqual(
        expect.objectContaining({ ...common, carrier: 'bytes', location: at('share/zeros', 300_005) }),
      );
      expect(output.findings).toHaveLength(4);
      expect(output.findings.every(({ evidence }) => evidence.includes(physical.slice(0, 40)))).toBe(true);
      expect(output.gaps).toEqual([]);
    });

    it('finds the alias without knowing any home', () => {
      const { status, report } = narScanReport(['--no-host-homes', '--store-dir', store.storeDir, leaking]);
      const { findings } = onlyOutput(report);
      expect(status).toBe(1);
      expect(findings.map(({ location }) => location.entry).toSorted()).toEqual(
        fromTree.findings.map(({ location }) => location.entry).toSorted(),
      );
      expect(findings.every(({ alias }) => alias === store.physicalStoreDir)).toBe(true);
      expect(findings.every(({ severity }) => severity === 'error')).toBe(true);
    });

    it('finds the alias and the home that holds it without any option', () => {
      const env = { PATH: process.env['PATH'], NIX_STORE_DIR: store.storeDir };
      const { status, report } = narScanReport([leaking], { env });
      const { findings } = onlyOutput(report);
      expect(status).toBe(1);
      expect(findings).toHaveLength(4);
      expect(findings.every(({ alias }) => alias === store.physicalStoreDir)).toBe(true);
      const homes = store.home.startsWith('/home/') ? [store.home] : [null];
      expect([...new Set(findings.map(({ home }) => home))]).toEqual(homes);
    });

    it('takes references of the database for anchors, wherever their store is called otherwise', () => {
      const script = `mkdir $out; echo prefix=/gpfs/pile/$(basename ${clean}) ${clean} > $out/conf`;
      const output = onlyOutput(scan(store.build('refers-1.0', script, [clean])).report);
      expect(output.findings.map(({ severity, alias }) => [severity, alias])).toEqual([
        ['error', '/gpfs/pile'],
      ]);
    });

    it('a database of another version ends the scan with one line', () => {
      const state = join(store.folder, 'other');
      mkdirSync(join(state, 'db'), { recursive: true });
      writeFileSync(join(state, 'db/schema'), '11');
      writeFileSync(join(state, 'db/db.sqlite'), '');
      const env = { PATH: process.env['PATH'], NIX_STORE_DIR: store.storeDir, NIX_STATE_DIR: state };
      const { status, stderr, report } = narScanReport([clean], { env });
      expect([status, report.verdict, report.outputs]).toEqual([2, 'incomplete', []]);
      expect(stderr).toMatch(
        /^nar-scan: the schema of the Nix database [^\n]+\[NIX_DATABASE_VERSION\][^\n]+\n$/,
      );
    });

    it('takes the physical path, a link to the output and a path within it for the same output', () => {
      const result = join(store.folder, 'result');
      symlinkSync(leaking, result);
      const name = leaking.slice(store.storeDir.length + 1);
      for (const target of [
        `${store.physicalStoreDir}/${name}`,
        result,
        `${result}/bin/tool`,
        `${leaking}/bin`,
      ]) {
        const { report, status } = scan(target);
        const output = onlyOutput(report);
        expect([target, output.storePath, status]).toEqual([target, leaking, 1]);
        expect(leakLines(output)).toEqual(leakLines(fromTree));
      }
    });

    it('finds nothing in an output that kept to the logical path', () => {
      for (const scanned of [scan(clean), scan('-', store.dump(clean)), scan('-', store.export(clean))]) {
        expect([scanned.report.verdict, scanned.status, scanned.report.errors]).toEqual(['clean', 0, []]);
        expect(onlyOutput(scanned.report).findings).toEqual([]);
      }
    });

    it('finds the same through nix-store --dump on stdin, with the NarHash that Nix computes', () => {
      const { report, status } = scan('-', store.dump(leaking));
      const output = onlyOutput(report);
      expect(status).toBe(1);
      expect(leakLines(output)).toEqual(leakLines(fromTree));
      expect(output.narHash).toBe(store.narHash(leaking));
      expect(output.gaps).toEqual([]);
    });

    it('finds the same through nix-store --export, and names the store path', () => {
      const output = onlyOutput(scan('-', store.export(leaking)).report);
      expect(leakLines(output)).toEqual(leakLines(fromTree));
      expect(output.storePath).toBe(leaking);
      expect(output.narHash).toBe(store.narHash(leaking));
    });

    it('tells the outputs of one export stream apart', () => {
      const { report, status } = scan('-', store.export(leaking, clean));
      const verdicts = Object.fromEntries(
        report.outputs.map(({ storePath, verdict }) => [storePath, verdict]),
      );
      expect(verdicts).toEqual({ [leaking]: 'contaminated', [clean]: 'clean' });
      expect(status).toBe(1);
    });

    for (const compression of NIX_COMPRESSIONS) {
      it(`finds the same through nix copy with compression ${compression}`, () => {
        const file = store.copyToCache(leaking, compression);
        const { report, status } = scan(file);
        const output = onlyOutput(report);
        expect(leakLines(output)).toEqual(leakLines(fromTree));
        expect(output.narHash).toBe(store.narHash(leaking));
        expect([output.gaps, report.errors, status]).toEqual([[], [], 1]);
      });
    }

    it('finds the same in an export stream that was compressed', () => {
      const output = onlyOutput(scan('-', gzipSync(store.export(leaking))).report);
      expect(leakLines(output)).toEqual(leakLines(fromTree));
      expect(output.storePath).toBe(leaking);
    });

    it('finds a leak in every output that links to the same inode', () => {
      const script = `mkdir $out; printf 'home=%s/.profile\\n' ${store.home} > $out/conf`;
      const twins = ['one-1.0', 'two-1.0'].map((name) => store.build(name, script));
      store.optimise();
      expect(twins.map((twin) => statSync(join(twin, 'conf')).nlink)).toEqual([3, 3]);
      const { report } = narScanReport([...options, ...twins]);
      expect(report.outputs.map(({ verdict, findings }) => [verdict, findings.length])).toEqual([
        ['contaminated', 1],
        ['contaminated', 1],
      ]);
    });

    it('an alias of a path that is no reference is a warning once the references are known', () => {
      const elsewhere = '/gpfs/u17/x/nix/store/0123456789abcdfghijklmnpqrsvwxyz-hello-2.12';
      const path = store.build('alias-1.0', `mkdir $out; echo prefix=${elsewhere} > $out/conf`);
      const severities = [scan(path), scan('-', store.export(path))].map(({ report }) =>
        onlyOutput(report).findings.map(({ rule, severity, alias }) => [rule, severity, alias]),
      );
      const alias = '/gpfs/u17/x/nix/store';
      expect(severities).toEqual([[['store-alias', 'warning', alias]], [['store-alias', 'warning', alias]]]);
    });

    it('never calls a compressed NAR clean that was cut short', () => {
      const cuts = NIX_COMPRESSIONS.flatMap((compression) => {
        const whole = readFileSync(store.copyToCache(clean, compression));
        const ending = compression === 'br' ? '.nar.br' : '.nar';
        return [1, 5, Math.floor(whole.length / 2), whole.length - 1].map((length) => {
          const file = join(store.folder, `cut-${compression}-${length}${ending}`);
          writeFileSync(file, whole.subarray(0, length));
          return file;
        });
      });
      const { status, report } = narScanReport([...options, ...cuts]);
      expect(report.outputs.map(({ target }) => target)).toEqual(cuts);
      expect(report.outputs.filter(({ verdict }) => verdict === 'clean').map(({ target }) => target)).toEqual(
        [],
      );
      expect(status).toBe(3);
    });
  },
);

/** What Nix's own mounts and the shell tell a builder of where it is. */
const TELLING = `mkdir $out; cat /proc/self/mountinfo > $out/mounts
  sed -n 's,^[^ ]* [^ ]* [^ ]* \\([^ ]*\\) /nix .*,prefix=\\1/store,p' /proc/self/mountinfo > $out/prefix`;

describe.skipIf(!needs('nix', 'nix-store', 'nix-build', 'bwrap'))(
  'a store in a home that is /nix/store',
  () => {
    const scanned = (
      store: HomeStore,
      ...args: readonly string[]
    ): { status: number | null; report: Report } => {
      const [program = '', ...words] = store.seen(NAR_SCAN, ...args, '--format', 'json');
      const env = { PATH: process.env['PATH'], ...STATE };
      const run = spawnSync(program, words, { env, maxBuffer: 1 << 28 });
      return { status: run.status, report: JSON.parse(run.stdout.toString()) as Report };
    };
    const homesOf = (store: HomeStore) => (store.home.startsWith('/home/') ? [store.home] : []);

    it('by bubblewrap is found where it really lies, with its home, without any option', () => {
      using store = new HomeStore('bound');
      const path = store.build('told-1.0', TELLING);
      const clean = store.build('clean-1.0', CLEAN);
      const { status, report } = scanned(store, path, clean);
      expect(status).toBe(1);
      expect(report.outputs.map(({ storePath, verdict }) => [storePath, verdict])).toEqual([
        [path, 'contaminated'],
        [clean, 'clean'],
      ]);
      const errors = report.outputs.flatMap(({ findings }) =>
        findings.filter(({ severity }) => severity === 'error'),
      );
      expect(errors.map(({ location }) => location.entry)).toContain('prefix');
      const homes = errors.flatMap(({ home }) => (home === null ? [] : [home]));
      expect([...new Set(homes)]).toEqual(homesOf(store));

      const [program = '', ...words] = store.seen(NAR_SCAN, 'homes', '--format', 'json');
      const { aliases } = JSON.parse(spawnSync(program, words).stdout.toString()) as {
        aliases: readonly { path: string }[];
      };
      expect(aliases.map((alias) => alias.path)).toContain(store.physicalStoreDir);
    });

    it('by --store is found where it really lies, with its home, by its logical and its physical path', () => {
      using store = new HomeStore('chroot');
      const path = store.build('told-1.0', TELLING);
      const name = path.slice('/nix/store/'.length);
      const physical = `${store.physicalStoreDir}/${name}`;
      for (const target of [path, physical]) {
        const { status, report } = scanned(store, '--store', store.place, target);
        const output = onlyOutput(report);
        expect([target, status, output.storePath]).toEqual([target, 1, path]);
        const errors = output.findings.filter(({ severity }) => severity === 'error');
        expect(errors.map(({ location }) => location.entry)).toContain('mounts');
        expect(errors.every(({ alias, home }) => alias !== null || home !== null)).toBe(true);
        expect([...new Set(errors.flatMap(({ home }) => home ?? []))]).toEqual(homesOf(store));
      }
      expect(scanned(store, physical).status).toBe(1);
    });

    it('by Nix itself, of a user who has no other, is found without any option', () => {
      using store = new HomeStore('chroot');
      const path = store.build('leaking-1.0', `mkdir $out; echo ${store.home}/src/x.c > $out/x`);
      const hidden = ['--dev-bind', '/', '/', '--tmpfs', '/nix', '--remount-ro', '/nix'];
      const user = ['--unshare-user', '--uid', '12345', '--gid', '12345'];
      const result = join(store.folder, 'result');
      symlinkSync(path, result);
      for (const [target, variables] of [
        [path, {}],
        [result, { NIX_REMOTE: 'auto' }],
        [path, { NIX_CONFIG: `store = ${store.place}`, HOME: '' }],
      ] as const) {
        const env = { PATH: process.env['PATH'], HOME: store.home, ...STATE, ...variables };
        const words = [...hidden, ...user, NAR_SCAN, target, '--home', store.home, '--format', 'json'];
        const { stdout, status } = spawnSync('bwrap', words, { env, maxBuffer: 1 << 28 });
        const { outputs } = JSON.parse(stdout.toString()) as Report;
        expect([status, outputs.map(({ storePath, verdict }) => [storePath, verdict])]).toEqual([
          1,
          [[path, 'contaminated']],
        ]);
      }
    });
  },
);
