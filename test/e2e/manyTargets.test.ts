import { spawnSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  NAR_SCAN,
  narScan,
  narScanReport,
  type Report,
  type ReportedOutput,
  ROOT,
} from '../support/narScan.ts';
import { directory, file, nar } from '../support/narWriter.ts';

const OPTIONS = ['--no-host-homes', '--home', '/home/noamyr'];
const HASH = '0123456789abcdfghijklmnpqrsvwxyz';
const PATHS = 300;
const LEAK = 'prefix=/home/noamyr/x\n';

let folder: string;
let storeDir: string;
let paths: readonly string[];
let validate: ReturnType<Ajv2020['compile']>;

/** What the path of this number holds. */
const verdictOf = (number: number): ReportedOutput['verdict'] => {
  if (number % 7 === 3) return 'contaminated';
  return number % 11 === 5 ? 'incomplete' : 'clean';
};
const numbers = Array.from({ length: PATHS }, (_, number) => number);

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'nar-scan-many-'));
  storeDir = join(folder, 'store');
  paths = numbers.map((number) => {
    const path = join(storeDir, `${String(number).padStart(4, '0')}${HASH.slice(4)}-package-${number}`);
    mkdirSync(join(path, 'bin'), { recursive: true });
    writeFileSync(join(path, 'bin/tool'), verdictOf(number) === 'contaminated' ? LEAK : '#!/bin/sh\n');
    // paths of very different sizes, so that they end in another order than they began
    for (let count = 0; count < (number % 13) * 5; count++) writeFileSync(join(path, `${count}`), 'x');
    symlinkSync(`${path}/bin/tool`, join(path, 'link'));
    if (verdictOf(number) === 'incomplete') writeFileSync(join(path, 'man.gz'), gzipSync('x'));
    return path;
  });
  const schema = JSON.parse(readFileSync(join(ROOT, 'src/report/report.schema.json'), 'utf8')) as object;
  validate = new Ajv2020({ strict: true, allowUnionTypes: true, strictRequired: false }).compile(schema);
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

const storeOptions = (): readonly string[] => [...OPTIONS, '--store-dir', storeDir, '--max-depth', '0'];

function expectValid(report: unknown): void {
  expect(validate(report), JSON.stringify(validate.errors)).toBe(true);
}

describe('hundreds of store paths', () => {
  it('each have a line, in the order of the arguments', () => {
    const shuffled = paths.toSorted(
      (a, b) => (a.at(-1) ?? '').localeCompare(b.at(-1) ?? '') || (a < b ? 1 : -1),
    );
    const { stdout, status } = narScan([...storeOptions(), '--format', 'jsonl', ...shuffled]);
    const lines = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown);
    for (const line of lines) expectValid(line);
    expect((lines.pop() as Report).verdict).toBe('contaminated');
    const outputs = lines as ReportedOutput[];
    expect(outputs.map(({ storePath, verdict }) => [storePath, verdict])).toEqual(
      shuffled.map((path) => [path, verdictOf(Number(/\d+$/.exec(path)))]),
    );
    expect(status).toBe(1);
  });

  it('each are printed when they are clean, and no other', () => {
    const { stdout, status } = narScan([...storeOptions(), '--print-clean', '--quiet', ...paths]);
    expect(stdout.split('\n')).toEqual([...paths.filter((_, number) => verdictOf(number) === 'clean'), '']);
    expect(status).toBe(1);
  });

  it('are printed one a line, whatever was said of them: the links to them as the paths they mean', () => {
    const link = join(folder, 'result');
    symlinkSync(paths[0] ?? '', link);
    const { stdout, status } = narScan([...storeOptions(), '--print-clean', link, `${link}/bin/tool`]);
    expect([stdout, status]).toEqual([`${paths[0]}\n${paths[0]}\n`, 0]);
  });

  it('give the same report with one worker and with many', () => {
    const reports = ['1', '2', '4'].map((jobs) => {
      const { report } = narScanReport([...storeOptions(), '--jobs', jobs, ...paths]);
      expectValid(report);
      return {
        ...report,
        outputs: report.outputs.map((output) => ({ ...output, stats: { ...output.stats, milliseconds: 0 } })),
      };
    });
    expect(reports[1]).toEqual(reports[0]);
    expect(reports[2]).toEqual(reports[0]);
  });
});

describe('a mix of targets', () => {
  const mixed = (): { targets: readonly string[]; outputs: readonly (readonly [string, string])[] } => {
    const clean = nar(directory(['bin', directory(['tool', file('x', true)])]));
    const leaking = nar(directory(['bin', directory(['tool', file(LEAK, true)])]));
    const write = (name: string, content: Uint8Array): string => {
      const path = join(folder, name);
      writeFileSync(path, content);
      return path;
    };
    const outputs = [
      [paths[0] ?? '', 'clean'],
      [write('clean.nar', clean), 'clean'],
      [write('leaking.nar.zst', zstdCompressSync(leaking)), 'contaminated'],
      [paths[3] ?? '', 'contaminated'],
      [write('cut.nar.gz', gzipSync(clean).subarray(0, -9)), 'incomplete'],
      [paths[5] ?? '', 'incomplete'],
      [write('text', Buffer.from('x')), 'clean'],
    ] as const;
    const missing = [join(folder, 'missing'), join(storeDir, `${HASH}-gone`), join(folder, 'text/below')];
    const targets = outputs.flatMap(([target], index) => [target, ...missing.slice(index, index + 1)]);
    return { targets, outputs };
  };

  it('is scanned whole: each error, and each output in its order', () => {
    const { targets, outputs } = mixed();
    const { report, status } = narScanReport([...storeOptions(), ...targets]);
    expectValid(report);
    expect(report.outputs.map(({ target, verdict }) => [target, verdict])).toEqual(outputs);
    expect(report.errors.map(({ code }) => code)).toEqual(Array(3).fill('TARGET_MISSING'));
    expect(report.errors.map(({ target }) => target)).toEqual(
      targets.filter((target) => !outputs.some(([known]) => known === target)),
    );
    expect([report.verdict, status]).toEqual(['contaminated', 1]);
  });

  it('exits by what weighs most: contaminated, then an error, then incomplete, then clean', () => {
    const [clean = '', leaking = '', partial = ''] = [paths[0], paths[3], paths[5]];
    const missing = join(folder, 'missing');
    const expected: readonly (readonly [readonly string[], number, Report['verdict']])[] = [
      [[clean], 0, 'clean'],
      [[clean, clean], 0, 'clean'],
      [[clean, partial], 3, 'incomplete'],
      [[clean, missing], 2, 'incomplete'],
      [[partial, missing], 2, 'incomplete'],
      [[missing], 2, 'incomplete'],
      [[missing, leaking], 1, 'contaminated'],
      [[partial, leaking, clean], 1, 'contaminated'],
    ];
    for (const [targets, wanted, verdict] of expected) {
      const { report, status } = narScanReport([...storeOptions(), ...targets]);
      expectValid(report);
      expect([targets, report.verdict, status]).toEqual([targets, verdict, wanted]);
    }
  });
});

describe('--strict', () => {
  it('makes a warning contaminate, and a note not', () => {
    const warning = join(folder, 'warning');
    const note = join(folder, 'note');
    writeFileSync(warning, 'see /home/alice/x\n');
    writeFileSync(note, 'see /home/user/x\n');
    const run = (...args: readonly string[]) => {
      const { report, status } = narScanReport([...OPTIONS, ...args]);
      return [report.verdict, status, report.outputs[0]?.findings.map(({ severity }) => severity)];
    };
    expect(run(warning)).toEqual(['clean', 0, ['warning']]);
    expect(run('--strict', warning)).toEqual(['contaminated', 1, ['warning']]);
    expect(run('--strict', note)).toEqual(['clean', 0, ['note']]);
  });
});

describe('a report that nobody takes', () => {
  const shell = (command: string): { status: number | null; stderr: string } => {
    const args = [NAR_SCAN, ...storeOptions(), '--format', 'jsonl', ...paths];
    const { status, stderr } = spawnSync('sh', ['-c', command, 'sh', ...args], { encoding: 'utf8' });
    return { status, stderr };
  };

  it('because the disk is full is said, at stdout and at --output', () => {
    const toStdout = shell('exec "$@" >/dev/full');
    expect(toStdout.status).toBe(2);
    expect(toStdout.stderr).toMatch(/REPORT_NOT_WRITTEN|ENOSPC/);
    const toFile = shell('exec "$@" --output /dev/full');
    expect(toFile.status).toBe(2);
    expect(toFile.stderr).toMatch(/REPORT_NOT_WRITTEN|ENOSPC/);
    expect(readdirSync('/dev').filter((name) => name.includes('full'))).toEqual(['full']);
  });

  it('because its reader went away is no error, whenever that was', () => {
    for (const reader of ['true', 'head -n 1', 'head -n 100', 'head -c 10']) {
      const { stderr } = shell(`{ "$@"; echo "status $?" >&2; } | ${reader} >/dev/null`);
      expect([reader, stderr]).toEqual([reader, expect.stringMatching(/^status [01]\n$/)]);
    }
  });

  it('because stdout is closed is said or is no error, but never a crash', () => {
    const { status, stderr } = shell('exec "$@" >&-');
    expect([0, 1, 2]).toContain(status);
    expect(stderr).not.toMatch(/^\s+at /m);
  });
});

describe('JSON of every fixture', () => {
  it.each(['leaks', 'ok', 'malformed'])('is what the schema says: %s', (kind) => {
    const targets = readdirSync(join(ROOT, 'fixtures', kind)).map((name) =>
      join(ROOT, 'fixtures', kind, name),
    );
    const { report } = narScanReport([...OPTIONS, ...targets]);
    expectValid(report);
    expect(new Set(report.outputs.map(({ target }) => target))).toEqual(new Set(targets));
    const { stdout } = narScan([...OPTIONS, '--format', 'jsonl', ...targets]);
    for (const line of stdout.trimEnd().split('\n')) expectValid(JSON.parse(line));
  });
});
