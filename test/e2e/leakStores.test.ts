import { statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { narScanReport, onlyOutput, type ReportedOutput } from '../support/narScan.ts';
import { needs } from '../support/programs.ts';
import { SymlinkedStore } from '../support/realNix.ts';

/** Rows 28 and 29 of the table of leak forms: what two outputs share. */
describe.skipIf(!needs('nix', 'nix-store', 'nix-build', 'gzip'))('outputs of a real store', () => {
  let store: SymlinkedStore;
  let options: readonly string[];

  beforeAll(() => {
    store = new SymlinkedStore();
    options = ['--no-host-homes', '--home', store.home, '--store-dir', store.storeDir];
  });

  afterAll(() => {
    store[Symbol.dispose]();
  });

  /** Of each store path its verdict and what was found. */
  const verdicts = (outputs: readonly ReportedOutput[]): ReadonlyMap<string | null, unknown> =>
    new Map(
      outputs.map(({ storePath, verdict, findings }) => [
        storePath,
        [
          verdict,
          findings.map(({ rule, severity, location }) => [
            [location.entry, ...location.container].join(' > '),
            rule,
            severity,
          ]),
        ],
      ]),
    );

  it('that share the inode of a compressed file are both contaminated', () => {
    const script = `mkdir $out; echo "folder=${store.home}/x" | gzip -n > $out/page.gz`;
    const twins = ['one-1.0', 'two-1.0'].map((name) => store.build(name, script));
    store.optimise();
    const inodes = twins.map((twin) => statSync(join(twin, 'page.gz')).ino);
    expect(inodes[0]).toBe(inodes[1]);
    const found = [['page.gz > page', 'known-home', 'error']];
    const { report, status } = narScanReport([...options, ...twins]);
    expect(verdicts(report.outputs)).toEqual(new Map(twins.map((twin) => [twin, ['contaminated', found]])));
    expect(status).toBe(1);
  });

  it('that share a file under two names are contaminated under both', () => {
    const script = `mkdir $out; echo "folder=${store.home}/x" | gzip -n > $out/one.gz; cp $out/one.gz $out/two.gz`;
    const output = store.build('names-1.0', script);
    store.optimise();
    expect(statSync(join(output, 'one.gz')).ino).toBe(statSync(join(output, 'two.gz')).ino);
    const { findings } = onlyOutput(narScanReport([...options, output]).report);
    expect(findings.map(({ location }) => location.entry).toSorted()).toEqual(['one.gz', 'two.gz']);
  });

  it('that have one NAR differ where the hash part of one of them stands in it', () => {
    const elsewhere = '/gpfs/u17/x/nix/store';
    const own = store.build('own-1.0', `mkdir $out; echo prefix=${elsewhere}/$(basename $out) > $out/conf`);
    const other = store.build(
      'other-1.0',
      `mkdir $out; echo prefix=${elsewhere}/${basename(own)} > $out/conf`,
    );
    expect(store.narHash(other)).toBe(store.narHash(own));
    const { report, status } = narScanReport([...options, '-'], { stdin: store.export(other, own) });
    expect(report.outputs.map(({ narHash }) => narHash)).toEqual([store.narHash(own), store.narHash(own)]);
    expect(verdicts(report.outputs)).toEqual(
      new Map([
        [other, ['clean', [['conf', 'store-alias', 'warning']]]],
        [own, ['contaminated', [['conf', 'store-alias', 'error']]]],
      ]),
    );
    expect(status).toBe(1);
  });
});
