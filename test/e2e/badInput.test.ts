import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { NAR_SCAN, narScan, narScanReport, onlyOutput, ROOT, type Report } from '../support/narScan.ts';
import { needs } from '../support/programs.ts';

const LEAKING_NAR = join(ROOT, 'fixtures/leaks/23-store-alias.nar');
const CLEAN_NAR = join(ROOT, 'fixtures/ok/23-store-alias.nar');
const OPTIONS = ['--no-host-homes', '--home', '/home/noamyr'];
const IS_ROOT = process.getuid?.() === 0;

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'nar-scan-bad-'));
});

afterEach(() => {
  execFileSync('chmod', ['-R', 'u+rwX', folder]);
  rmSync(folder, { recursive: true, force: true });
});

function file(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

const scan = (...targets: readonly string[]) => narScanReport([...OPTIONS, ...targets]);
const codes = (report: Report): readonly string[] => report.errors.map(({ code }) => code);
const gaps = (report: Report): readonly string[] =>
  report.outputs.flatMap((output) =>
    output.gaps.map(({ reason, location }) => `${location.entry} ${reason}`),
  );

/** One clear line on stderr, no stack trace, exit status 2. */
function expectUsageError(args: readonly string[], what: RegExp): void {
  const { status, stderr, stdout } = narScan(args);
  expect([args, status, stdout]).toEqual([args, 2, '']);
  expect(stderr).toMatch(what);
  expect(stderr.trimEnd().split('\n').length).toBeLessThanOrEqual(2);
  expect(stderr).not.toMatch(/^\s+at /m);
}

describe('usage', () => {
  it.each([
    ['an unknown option', ['--hoem', '/home/alice', '.'], /--hoem/],
    ['an unknown short option', ['-x', '.'], /-x/],
    ['an empty home', ['--home', '', '.'], /empty/],
    ['the root as a home', ['--home', '/', '.'], /system directory/],
    ['a system directory as a home', ['--home', '/usr/lib', '.'], /system directory/],
    ['a relative home', ['--home', 'home/alice', '.'], /absolute/],
    ['an option without its value', ['.', '--home'], /--home/],
    ['no target', OPTIONS, /target|store path/i],
    ['an unknown format', ['--format', 'xml', '.'], /xml|none of/],
    ['no whole number of jobs', ['--jobs', '0', '.'], /--jobs/],
  ])('%s is refused in one line', (_what, args, message) => {
    expectUsageError(args, message);
  });

  it('help and version go to stdout and end well', () => {
    for (const flag of ['--help', '--version']) {
      const { status, stdout, stderr } = narScan([flag]);
      expect([flag, status, stderr]).toEqual([flag, 0, '']);
      expect(stdout).not.toBe('');
    }
  });

  it('starts with an empty environment', () => {
    const { status, stdout } = narScan(['--version'], { env: {} });
    expect([status, stdout.trim()]).toEqual([0, narScan(['--version']).stdout.trim()]);
  });

  it('takes what stands behind -- for a target', () => {
    const { stdout, status } = narScan([...OPTIONS, '--format', 'json', '--', '--home']);
    expect([codes(JSON.parse(stdout) as Report), status]).toEqual([['TARGET_MISSING'], 2]);
  });
});

describe('targets', () => {
  it('a missing one is an error, and the others are still scanned', () => {
    const { status, report } = scan(join(folder, 'nothing'), CLEAN_NAR);
    expect([codes(report), status]).toEqual([['TARGET_MISSING'], 2]);
    expect(report.outputs.map(({ verdict }) => verdict)).toContain('clean');
    expect(report.verdict).not.toBe('clean');
    expect(scan(join(folder, 'nothing'), LEAKING_NAR).status).toBe(1);
  });

  it('an empty file is clean, and so is an empty directory', () => {
    mkdirSync(join(folder, 'empty'));
    for (const target of [file('nothing.txt', ''), join(folder, 'empty')]) {
      const { report, status } = scan(target);
      expect([onlyOutput(report).verdict, gaps(report), status]).toEqual(['clean', [], 0]);
    }
  });

  it('what may not be read is a gap', () => {
    mkdirSync(join(folder, 'tree/closed'), { recursive: true });
    file('tree/secret', 'x');
    file('tree/open', 'prefix=/home/noamyr/x');
    chmodSync(join(folder, 'tree/secret'), 0);
    chmodSync(join(folder, 'tree/closed'), 0);
    chmodSync(folder, 0o755);
    // Root may read everything: somebody else scans then.
    const asNobody = IS_ROOT ? { uid: 65_534, gid: 65_534 } : {};
    const run = spawnSync(NAR_SCAN, [...OPTIONS, '--format', 'json', join(folder, 'tree')], {
      ...asNobody,
      env: { PATH: process.env['PATH'] },
      encoding: 'utf8',
    });
    if (IS_ROOT && /EACCES|cannot|denied/i.test(run.stderr) && run.stdout === '') return; // The clone lies in a closed folder.
    const report = JSON.parse(run.stdout) as Report;
    expect(gaps(report).toSorted()).toEqual(['closed unreadable', 'secret unreadable']);
    expect([onlyOutput(report).verdict, run.status]).toEqual(['contaminated', 1]);
  });

  it.skipIf(!needs('mkfifo'))('fifos, sockets and devices are gaps and never opened', async () => {
    execFileSync('mkfifo', [join(folder, 'pipe')]);
    const server = createServer().listen(join(folder, 'socket'));
    await new Promise((resolve) => {
      server.once('listening', resolve);
    });
    const { report, status } = scan(folder);
    server.close();
    expect(gaps(report).toSorted()).toEqual(['pipe special-file', 'socket special-file']);
    expect([onlyOutput(report).verdict, status]).toEqual(['incomplete', 3]);
    execFileSync('mkfifo', [join(folder, 'alone')]);
    expect(scan(join(folder, 'alone')).report.verdict).not.toBe('clean');
    expect(scan('/dev/zero').report.verdict).not.toBe('clean');
  });

  it.skipIf(!existsSync('/sys/kernel/mm/transparent_hugepage/enabled'))(
    'a file that holds less than its size says is a gap',
    () => {
      const { report, status } = scan('/sys/kernel/mm/transparent_hugepage/enabled');
      expect([gaps(report), status]).toEqual([[' unreadable'], 3]);
    },
  );

  it('names that are not UTF-8 are kept byte for byte', () => {
    const name = Buffer.from('caf\xe9', 'latin1');
    writeFileSync(Buffer.concat([Buffer.from(`${folder}/`), name]), 'prefix=/home/noamyr/x');
    const [finding] = onlyOutput(scan(folder).report).findings;
    expect(Buffer.from(finding?.location.entryBytes ?? '', 'base64')).toEqual(name);
  });

  it('links are not followed inside a tree, not even in a circle', () => {
    symlinkSync('.', join(folder, 'self'));
    symlinkSync(LEAKING_NAR, join(folder, 'elsewhere'));
    symlinkSync('nowhere', join(folder, 'dangling'));
    const { report } = scan(folder);
    expect(onlyOutput(report).stats).toMatchObject({ files: 0, bytes: 0 });
    expect(gaps(report)).toEqual([]);
  });

  it('a name with control characters does not reach the terminal', () => {
    file('\u001b[31mred\n\u0007', 'prefix=/home/noamyr/x\u001b[2J');
    const { stdout } = narScan([...OPTIONS, folder]);
    expect(stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f]/);
  });
});

describe('NARs and streams', () => {
  it('text with the ending of a NAR is no NAR, and not clean', () => {
    const { report, status } = scan(file('page.nar', 'hello\n'));
    expect(report.verdict).not.toBe('clean');
    expect(status).not.toBe(0);
  });

  it('nothing on stdin is not clean', () => {
    for (const stdin of [Buffer.alloc(0), Buffer.from('hello'), Buffer.alloc(100)]) {
      const { report, status } = narScanReport([...OPTIONS, '-'], { stdin });
      expect(report.verdict).not.toBe('clean');
      expect(status).toBeGreaterThan(1);
    }
  });

  it('a NAR cut anywhere is never clean, and keeps what was found before', () => {
    const whole = readFileSync(LEAKING_NAR);
    const clean = readFileSync(CLEAN_NAR);
    for (let length = 0; length < clean.length; length += 97) {
      const { report } = narScanReport([...OPTIONS, '-'], { stdin: clean.subarray(0, length) });
      expect([length, report.verdict]).not.toContain('clean');
    }
    const { report, status } = narScanReport([...OPTIONS, '-'], {
      stdin: whole.subarray(0, whole.length - 8),
    });
    expect([onlyOutput(report).verdict, status]).toEqual(['contaminated', 1]);
    expect(gaps(report)).toHaveLength(1);
  });

  it('a stream with trailing garbage is never clean', () => {
    const clean = readFileSync(CLEAN_NAR);
    const compressed = {
      nar: clean,
      xz: execFileSync('xz', ['-c'], { input: clean }),
      gz: execFileSync('gzip', ['-c'], { input: clean }),
      bz2: execFileSync('bzip2', ['-c'], { input: clean }),
    };
    for (const [ending, bytes] of Object.entries(compressed)) {
      const target = file(`x.nar.${ending}`, Buffer.concat([bytes, Buffer.from('garbage')]));
      expect([ending, scan(target).report.verdict]).toEqual([ending, 'incomplete']);
    }
  });

  it('a NAR inside a NAR is bytes: its leaks count, its faults do not', () => {
    mkdirSync(join(folder, 'tree'));
    writeFileSync(join(folder, 'tree/inner.nar'), readFileSync(LEAKING_NAR));
    expect(scan(join(folder, 'tree')).status).toBe(1);
  });
});

describe('reports', () => {
  it('a closed stdout is no error', () => {
    const command = `{ "$@"; echo "status $?" >&2; } | true`;
    const targets = Array.from({ length: 50 }, () => LEAKING_NAR);
    const run = spawnSync(
      'sh',
      ['-c', command, 'sh', NAR_SCAN, ...OPTIONS, '--format', 'jsonl', ...targets],
      {
        encoding: 'utf8',
      },
    );
    expect(run.stderr).toMatch(/^status [01]$/m);
    expect(run.stderr).not.toMatch(/EPIPE|Error/);
  });

  it('a full disk at --output leaves nothing half-written and exits with 2', () => {
    const out = join(folder, 'report.json');
    const args = [
      ...OPTIONS,
      '--format',
      'json',
      '--output',
      out,
      ...Array.from({ length: 100 }, () => LEAKING_NAR),
    ];
    // A limit on file sizes stands in for the disk.
    const run = spawnSync('sh', ['-c', 'ulimit -f 2; exec "$@"', 'sh', NAR_SCAN, ...args], {
      encoding: 'utf8',
    });
    expect(run.status).not.toBe(0);
    expect(run.stderr).not.toMatch(/^\s+at /m);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('a full disk at stdout is said', () => {
    const run = spawnSync('sh', ['-c', '"$@" > /dev/full', 'sh', NAR_SCAN, ...OPTIONS, CLEAN_NAR], {
      encoding: 'utf8',
    });
    expect(run.status).toBe(2);
    expect(run.stderr).toMatch(/REPORT_NOT_WRITTEN|ENOSPC|no space/i);
  });

  it('--output keeps the old report when the new one cannot be written', () => {
    const out = file('report.json', 'old');
    const { status } = narScan([...OPTIONS, '--format', 'json', '--output', out, CLEAN_NAR]);
    expect([status, (JSON.parse(readFileSync(out, 'utf8')) as Report).verdict]).toEqual([0, 'clean']);
    const missing = narScan([...OPTIONS, '--output', join(folder, 'no/such/report'), CLEAN_NAR]);
    expect(missing.status).toBe(2);
    expect(readdirSync(folder)).toEqual(['report.json']);
  });

  it('--print-clean prints the clean ones only', () => {
    const { stdout, status } = narScan([...OPTIONS, '--print-clean', CLEAN_NAR, LEAKING_NAR]);
    expect([stdout, status]).toEqual([`${CLEAN_NAR}\n`, 1]);
  });
});

describe('signals', () => {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    it(`${signal} ends with what was found, and never clean`, async () => {
      const child = spawn(NAR_SCAN, [...OPTIONS, '--format', 'json', LEAKING_NAR, '-'], {
        stdio: ['pipe', 'pipe', 'pipe'],
      });
      child.stdin.write(readFileSync(CLEAN_NAR).subarray(0, 500));
      const chunks: Buffer[] = [];
      child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
      setTimeout(() => child.kill(signal), 1500);
      const tooLate = setTimeout(() => child.kill('SIGKILL'), 20_000);
      const status = await new Promise((resolve) => {
        child.once('close', resolve);
      });
      clearTimeout(tooLate);
      const report = JSON.parse(Buffer.concat(chunks).toString()) as Report;
      expect([report.verdict, status]).toEqual(['contaminated', 1]);
      expect(codes(report)).toContain('INTERRUPTED');
    });
  }

  it.each([1, 2])('end a scan that is at a file of hours, with %i jobs', async (jobs) => {
    const tree = join(folder, `hours-${jobs}`);
    mkdirSync(tree);
    writeFileSync(join(tree, 'hole'), '');
    truncateSync(join(tree, 'hole'), 2 ** 42);
    writeFileSync(join(tree, 'more'), '/home/noamyr/x');
    const words = [...OPTIONS, '--format', 'json', '--jobs', String(jobs), tree, LEAKING_NAR];
    const child = spawn(NAR_SCAN, words, { stdio: ['ignore', 'pipe', 'ignore'] });
    const chunks: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
    setTimeout(() => child.kill('SIGINT'), 1500);
    const tooLate = setTimeout(() => child.kill('SIGKILL'), 20_000);
    const [status] = (await once(child, 'close')) as [number | null];
    clearTimeout(tooLate);
    const report = JSON.parse(Buffer.concat(chunks).toString()) as Report;
    expect(codes(report)).toContain('INTERRUPTED');
    expect(report.outputs.map(({ verdict }) => verdict)).not.toContain('clean');
    expect([1, 3]).toContain(status);
  });
});

describe('counts', () => {
  it('files and bytes are what find -type f counts, hard links each time', () => {
    const tree = join(folder, 'tree');
    mkdirSync(join(tree, 'a/b'), { recursive: true });
    file('tree/one', 'x'.repeat(1000));
    file('tree/a/big', 'y'.repeat(3_000_000));
    linkSync(join(tree, 'one'), join(tree, 'a/b/two'));
    linkSync(join(tree, 'one'), join(tree, 'a/b/three'));
    symlinkSync('one', join(tree, 'link'));
    file('tree/a/empty', '');
    for (const target of [tree, join(ROOT, 'node_modules/typescript'), join(ROOT, 'fixtures')]) {
      const sizes = execFileSync('find', [target, '-type', 'f', '-printf', '%s\n'], { encoding: 'utf8' })
        .trimEnd()
        .split('\n')
        .map(Number);
      const { stats } = onlyOutput(scan(target).report);
      expect([target, stats.files, stats.bytes]).toEqual([
        target,
        sizes.length,
        sizes.reduce((sum, size) => sum + size, 0),
      ]);
    }
  });

  it('a leak in a file with hard links is reported under every name', () => {
    const leak = file('one', 'prefix=/home/noamyr/x');
    linkSync(leak, join(folder, 'two'));
    const { findings } = onlyOutput(scan(folder).report);
    expect(findings.map(({ location }) => location.entry).toSorted()).toEqual(['one', 'two']);
  });

  it('the number of workers changes nothing', () => {
    const targets = [join(ROOT, 'fixtures'), LEAKING_NAR];
    const reports = ['1', '2', '5'].map(
      (jobs) => narScanReport([...OPTIONS, '--jobs', jobs, ...targets]).report,
    );
    const facts = reports.map(({ outputs }) =>
      outputs.map(({ findings, gaps: gapList, verdict }) => ({ findings, gapList, verdict })),
    );
    expect(facts[1]).toEqual(facts[0]);
    expect(facts[2]).toEqual(facts[0]);
  });
});
