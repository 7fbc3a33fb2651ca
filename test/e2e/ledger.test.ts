import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  chmodSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ReadOnlyLedger } from '../../src/ledger/sqlite/readOnlyLedger.ts';
import { leakLines, NAR_SCAN, narScan, narScanReport, type ReportedOutput } from '../support/narScan.ts';
import { needs } from '../support/programs.ts';
import { SymlinkedStore } from '../support/realNix.ts';

/** Leaks wherever a tree and its NAR are read in different ways. */
const LEAKING = `
  here=$(realpath $out)
  mkdir -p $out/bin $out/share/man
  printf '#!%s/bin/sh\\nexec echo tool\\n' "$here" > $out/bin/tool
  ln -s "$here/bin/tool" $out/bin/alias
  echo "see $here" | gzip -n > $out/share/man/tool.1.gz
  head -c 3000000 /dev/zero > $out/share/long
  printf 'late=%s\\n' "$here" >> $out/share/long
  (head -c 900000 /dev/urandom; echo "$here") | gzip -n > $out/share/long.gz
  cp /bin/true $out/bin/true
  mkdir $out/share/empty
  tar cf $out/share/all.tar -C $out bin
  echo "$here" > "$out/share/a name with spaces"`;

describe.skipIf(!needs('nix', 'nix-store', 'nix-build', 'gzip', 'tar', 'brotli'))(
  'what is remembered of a real store',
  () => {
    let store: SymlinkedStore;
    let state: string;
    let options: readonly string[];
    let leaking: string;
    let clean: string;
    let dependent: string;

    beforeAll(() => {
      store = new SymlinkedStore();
      options = ['--no-host-homes', '--home', store.home, '--store-dir', store.storeDir];
      leaking = store.build('tool-1.0', LEAKING);
      clean = store.build('clean-1.0', 'mkdir $out; echo nothing > $out/text');
      dependent = store.build('user-1.0', `mkdir $out; echo ${leaking} ${clean} > $out/uses`, [
        leaking,
        clean,
      ]);
    });

    afterAll(() => store[Symbol.dispose]());
    beforeEach(() => void (state = mkdtempSync(join(tmpdir(), 'nar-scan-state-'))));
    afterEach(() => rmSync(state, { recursive: true, force: true }));

    const scan = (...args: readonly string[]) =>
      narScanReport([...options, ...args], { env: { PATH: process.env['PATH'], NAR_SCAN_STATE: state } });
    /** How often store paths were scanned. */
    const scans = async (...paths: readonly string[]): Promise<readonly number[]> => {
      const ledger = new ReadOnlyLedger(join(state, 'ledger.sqlite'), (error) => {
        throw error;
      });
      const counts: number[] = [];
      for (const path of paths) counts.push((await ledger.history(path)).length);
      await ledger.close();
      return counts;
    };
    const told = ({ target, storePath, verdict, findings, gaps, stats }: ReportedOutput): unknown => {
      const { entries, files, bytes } = stats;
      return { target, storePath, verdict, findings, gaps, entries, files, bytes };
    };

    it('is what a scan finds that remembers nothing', async () => {
      const compressed = store.build('page.br', `echo see ${store.home}/x | brotli > $out`);
      const link = store.build('link-1.0', `ln -s ${store.home}/x $out`);
      const text = store.build('text-1.0', `echo see ${store.home}/x > $out`);
      const paths = [leaking, clean, dependent, compressed, link, text];
      const plain = scan('--no-ledger', ...paths);
      expect(plain.report.outputs.map(({ verdict }) => verdict)).toEqual([
        'contaminated',
        'clean',
        'clean',
        'contaminated',
        'contaminated',
        'contaminated',
      ]);
      expect(readdirSync(state)).toEqual([]);
      expect(plain.report.outputs.map(({ narHash }) => narHash)).toEqual(paths.map(() => null));
      for (const time of ['first', 'again', 'again with one worker']) {
        const run = scan(...paths, ...(time.includes('one') ? ['--jobs', '1'] : []));
        expect([time, run.status, run.report.outputs.map(told)]).toEqual([
          time,
          plain.status,
          plain.report.outputs.map(told),
        ]);
        expect(run.report.outputs.map(({ narHash }) => narHash)).toEqual(
          paths.map((path) => store.narHash(path)),
        );
        expect(run.stderr).toBe('');
      }
      expect(await scans(...paths)).toEqual(paths.map(() => 1));
    });

    it('is clean only where nobody denied it, under any name, remembered or not', () => {
      const env = { PATH: process.env['PATH'], NAR_SCAN_STATE: state };
      const nar = store.dump(clean);
      const codes = (...args: readonly string[]) => {
        const { status, report } = narScanReport([...options, ...args], { env, stdin: nar });
        return [status, report.verdict, ...report.errors.map(({ code }) => code)];
      };
      expect([codes(clean), codes('-')]).toEqual([
        [0, 'clean'],
        [0, 'clean'],
      ]);
      const deny = (what: string) =>
        narScan(['quarantine', 'deny', what, '--reason', 'holds a private path'], { env }).status;
      expect(deny(store.narHash(clean))).toBe(0);
      expect([codes(clean), codes('-')]).toEqual([
        [2, 'incomplete', 'PATH_DENIED'],
        [2, 'incomplete', 'PATH_DENIED'],
      ]);
      const printed = narScan([...options, '--print-clean', clean, dependent], { env });
      expect([printed.status, printed.stdout]).toEqual([2, `${dependent}\n`]);
      expect(printed.stderr).toContain('holds a private path');
      appendFileSync(join(state, 'audit.jsonl'), '{}\n');
      expect(codes(dependent)).toEqual([2, 'incomplete', 'AUDIT_BROKEN']);
    });

    it('is judged under what is asked now', () => {
      expect(scan(leaking).status).toBe(1);
      writeFileSync(join(state, 'policy.toml'), '[rules]\nknown-home = "note"\nstore-alias = "note"\n');
      expect(scan('--policy', join(state, 'policy.toml'), leaking).status).toBe(0);
      expect(scan(leaking).status).toBe(1);
    });

    it('is not known under other conditions', async () => {
      const conditions = [[], ['--home', '/home/alice'], ['--alias', '/gpfs/x/store'], ['--max-depth', '3']];
      for (const more of conditions) scan(...more, clean);
      for (const more of conditions) scan(...more, clean);
      expect(await scans(clean)).toEqual([conditions.length]);
    });

    it('is scanned again when it is touched, and an error where it is not what was registered', async () => {
      const path = store.build('tampered-1.0', 'mkdir $out; echo nothing > $out/text');
      expect([scan(path).status, scan(path).status]).toEqual([0, 0]);
      expect(await scans(path)).toEqual([1]);
      utimesSync(path, 1, 1);
      expect(scan(path).status).toBe(0);
      expect(await scans(path)).toEqual([2]);

      chmodSync(path, 0o755);
      chmodSync(join(path, 'text'), 0o644);
      appendFileSync(join(path, 'text'), 'more\n');
      for (const time of [1, 2]) {
        const { status, report, stderr } = scan(path);
        expect([time, status, report.verdict]).toEqual([time, 2, 'incomplete']);
        expect(report.outputs.map(({ verdict }) => verdict)).toEqual(['incomplete']);
        expect(report.errors.map(({ code, target }) => [code, target])).toEqual([['PATH_TAMPERED', path]]);
        expect(stderr).toMatch(
          /^nar-scan: '[^\n]*tampered-1\.0' has the NarHash sha256:[^\n]* is registered[^\n]*\n$/,
        );
      }
      expect(await scans(path)).toEqual([2]);
    });

    it('never holds what could not be read as a whole', async () => {
      const path = store.build('fifo-1.0', 'mkdir $out; echo nothing > $out/text');
      chmodSync(path, 0o755);
      spawnSync('mkfifo', [join(path, 'fifo')]);
      for (const time of [1, 2]) {
        const { status, report } = scan(path);
        const [output] = report.outputs;
        expect([time, status, output?.narHash, output?.gaps.map(({ reason }) => reason)]).toEqual([
          time,
          3,
          null,
          ['special-file'],
        ]);
      }
      expect(await scans(path)).toEqual([0]);
    });

    it('tells apart two paths that have one NAR', () => {
      const elsewhere = '/gpfs/u17/x/nix/store';
      const own = store.build('own-1.0', `mkdir $out; echo prefix=${elsewhere}/$(basename $out) > $out/conf`);
      const other = store.build(
        'other-1.0',
        `mkdir $out; echo prefix=${elsewhere}/${basename(own)} > $out/conf`,
      );
      expect(store.narHash(other)).toBe(store.narHash(own));
      for (const paths of [[own], [other], [own], [other]]) {
        expect(scan(...paths).report.outputs.map(({ verdict }) => verdict)).toEqual(
          paths.map((path) => (path === own ? 'contaminated' : 'clean')),
        );
      }
    });

    it('serves a closure, of which only what is new is scanned', async () => {
      scan(leaking);
      const { report, status } = scan('-r', dependent);
      expect(report.outputs.map(({ target, verdict }) => [target, verdict])).toEqual([
        [dependent, 'clean'],
        ...[leaking, clean].toSorted().map((path) => [path, path === leaking ? 'contaminated' : 'clean']),
      ]);
      expect(status).toBe(1);
      expect(await scans(dependent, leaking, clean)).toEqual([1, 1, 1]);
      const alone = scan('-r', clean).report.outputs;
      expect(alone.map(({ target }) => target)).toEqual([clean]);
      expect(leakLines(report.outputs[1] as ReportedOutput)).toEqual(
        leakLines(scan('--no-ledger', report.outputs[1]?.target ?? '').report.outputs[0] as ReportedOutput),
      );
    });

    it('serves every valid path of the store', () => {
      const { report } = scan('--all');
      const valid = readdirSync(store.physicalStoreDir).filter((name) => /^[0-9a-z]{32}-/.test(name));
      const named = report.outputs.map(({ target }) => basename(target));
      expect(named.toSorted()).toEqual(valid.filter((name) => !name.endsWith('.lock')).toSorted());
    });

    it('a closure of what is no valid path is an error, and the others are scanned', () => {
      const { report, status } = scan('-r', state, clean);
      expect(report.errors.map(({ code, target }) => [code, target])).toEqual([['PATH_NOT_VALID', state]]);
      expect(report.outputs.map(({ target }) => target)).toEqual([clean]);
      expect(status).toBe(2);
    });

    it('lets an interrupted scan go on where it was ended', async () => {
      const paths = Array.from({ length: 16 }, (_, index) =>
        store.build(`large-${index}`, `mkdir $out; truncate -s ${48_000_000 + index} $out/zeros`),
      );
      const args = [...options, '--jobs', '1', '--format', 'jsonl', ...paths];
      const child = spawn(NAR_SCAN, args, { env: { PATH: process.env['PATH'], NAR_SCAN_STATE: state } });
      const closed = once(child, 'close');
      child.stdout.once('data', () => child.kill('SIGINT'));
      child.stdout.resume();
      const [status] = await closed;
      expect(status).toBe(2);
      const before = await scans(...paths);
      const done = before.filter((count) => count === 1).length;
      expect(done).toBeGreaterThan(0);
      expect(done).toBeLessThan(paths.length);
      expect(scan(...paths).report.verdict).toBe('clean');
      expect(await scans(...paths)).toEqual(paths.map(() => 1));
    }, 120_000);

    it('that is damaged is set aside, and everything is scanned', async () => {
      scan(clean, leaking);
      writeFileSync(join(state, 'ledger.sqlite'), 'no database'.repeat(500));
      const { status, stderr, report } = scan(clean, leaking);
      expect([status, report.errors]).toEqual([1, []]);
      expect(stderr).toMatch(
        /^nar-scan: the ledger '[^\n]*' is damaged and is now '[^\n]*\[LEDGER_DAMAGED\][^\n]*\n$/,
      );
      expect(await scans(clean, leaking)).toEqual([1, 1]);
      expect(scan(clean).stderr).toBe('');
    });

    it.each([
      ['cannot be made', '/dev/null/state', 'STATE_NOT_WRITTEN'],
      ['is no absolute path', 'state', 'STATE_UNKNOWN'],
    ])('without a place that %s is told, and everything is scanned', (_what, place, code) => {
      const env = { PATH: process.env['PATH'], NAR_SCAN_STATE: place };
      const { status, stderr, report } = narScanReport([...options, clean], { env });
      expect([status, report.verdict, report.errors]).toEqual([0, 'clean', []]);
      expect(stderr).toMatch(new RegExp(`^nar-scan: [^\\n]*\\[${code}\\][^\\n]*\\n$`));
      expect(report.outputs[0]?.narHash).toBe(store.narHash(clean));
    });

    it('that finds the disk full is told, and everything is scanned', () => {
      const words = [NAR_SCAN, ...options, clean];
      const env = { PATH: process.env['PATH'], NAR_SCAN_STATE: state };
      const run = spawnSync('sh', ['-c', 'ulimit -f 8; exec "$@"', 'sh', ...words], {
        env,
        encoding: 'utf8',
      });
      expect(run.stderr).toMatch(/^nar-scan: the ledger [^\n]*\[LEDGER_[A-Z_]+\][^\n]*\n$/);
      expect([run.status, run.stdout.split(' ')[0]]).toEqual([0, 'clean']);
      expect(scan(clean).status).toBe(0);
    });
  },
);
