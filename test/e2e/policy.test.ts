import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { narScan, narScanReport } from '../support/narScan.ts';
import { directory, file, nar } from '../support/narWriter.ts';
import { writeZip } from '../support/zipWriter.ts';

let folder: string;
let policy: string;
let output: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'nar-scan-policies-'));
  policy = join(folder, 'policy.toml');
  output = join(folder, 'output');
  mkdirSync(join(output, 'share'), { recursive: true });
  writeFileSync(join(output, 'share/known'), 'x=/home/noamyr/src\n');
  writeFileSync(join(output, 'share/foreign'), 'x=/home/alex/perl\n');
  writeFileSync(join(output, 'share/packed.7z'), Buffer.from('377abcaf271c0004', 'hex'));
});
beforeEach(() => rmSync(policy, { force: true }));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const HOME = ['--no-host-homes', '--home', '/home/noamyr'];

function scan(...args: string[]) {
  return narScanReport([...HOME, ...args, output]);
}

function said(text: string): string[] {
  writeFileSync(policy, text);
  return ['--policy', policy];
}

const KNOWN = '[[waivers]]\nrule = "known-home"\nentry = "share/*"\nbecause = "known"\n';
const PACKED = '[[waivers]]\nreason = "unsupported"\nentry = "share/packed.7z"\nbecause = "looked inside"\n';

describe('a scan under a policy', () => {
  it('is clean of what waivers cover, and tells it all the same', () => {
    const { status, report } = scan(...said(KNOWN + PACKED));
    expect([status, report.verdict]).toEqual([0, 'clean']);
    const [waived] = report.outputs[0]?.findings.filter(({ rule }) => rule === 'known-home') ?? [];
    expect(waived).toMatchObject({ severity: 'error', waivedBy: `${policy}:1: known` });
    expect(report.outputs[0]?.gaps).toMatchObject([{ waivedBy: `${policy}:5: looked inside` }]);
    expect(scan(...said(KNOWN)).status).toBe(3);
    expect(scan(...said(PACKED)).status).toBe(1);
  });

  it('waives what a content is known for, wherever it lies, and not what became of it', async () => {
    const { blake3 } = (await import('@napi-rs/blake-hash')).default;
    const long = Buffer.alloc(1_500_000, 'filling ');
    long.write('/home/noamyr/long', 700_000);
    const zip = Buffer.from(writeZip([{ name: 'inner', content: 'x=/home/noamyr/zipped\n' }]));
    const folderOf = join(folder, 'digests');
    mkdirSync(folderOf);
    const contents = { known: Buffer.from('x=/home/noamyr/src\n'), long, zip };
    const waivers = Object.entries(contents).map(([name, content]) => {
      writeFileSync(join(folderOf, name), content);
      return `[[waivers]]\nrule = "known-home"\nblake3 = "${blake3(content).toString('hex')}"\nbecause = "known"\n`;
    });
    const args = [...HOME, ...said(waivers.join(''))];
    const files = Object.entries(contents).map(([name, content]) => [name, file(content)] as const);
    const packed = nar(directory(...files));
    const scans = (): ReturnType<typeof narScanReport>[] => [
      narScanReport([...args, folderOf]),
      narScanReport([...args, '--no-ledger', '-'], { stdin: packed }),
      narScanReport([...args, '-'], { stdin: gzipSync(packed) }),
    ];
    for (const { status, report } of scans()) {
      expect([status, report.outputs[0]?.findings.length]).toEqual([0, 3]);
      expect(report.outputs[0]?.findings[0]?.location).toMatchObject({
        blake3: blake3(contents.known).toString('hex'),
      });
    }
    writeFileSync(join(folderOf, 'long'), Buffer.concat([long, Buffer.from('!')]));
    expect(narScanReport([...args, folderOf]).status).toBe(1);
  });

  it('tells waivers without use, and fails for them when it is strict', () => {
    const idle =
      KNOWN.replace('share/*', 'bin/*') + KNOWN.replace('known"\n', 'known"\nexpires = 2020-01-01\n');
    const args = said(`${KNOWN}${PACKED}${idle}[rules]\nforeign-home = "note"\n`);
    const lax = scan(...args);
    expect(lax.status).toBe(0);
    expect(lax.report).toMatchObject({
      unusedWaivers: [
        `${policy}:9: known (known-home, entry bin/*: covers nothing)`,
        `${policy}:13: known (known-home, entry share/*: expired 2020-01-01)`,
      ],
    });
    const strict = scan('--strict', ...args);
    expect([strict.status, strict.report.verdict]).toEqual([2, 'incomplete']);
    expect(strict.report.errors.map(({ code }) => code)).toEqual(['POLICY_WAIVERS_UNUSED']);
    expect(narScan([...HOME, ...args, output]).stdout).toContain(
      `waivers without use\n  ${policy}:9: known (`,
    );
    expect(scan('--strict', ...said(`${KNOWN}${PACKED}[rules]\nforeign-home = "note"\n`)).status).toBe(0);
  });

  it('tells no waivers of outputs that were not scanned', () => {
    const other = KNOWN.replace('entry', 'output = "other-*"\nentry');
    const text = `${KNOWN}${PACKED}${other}[rules]\nforeign-home = "note"\n`;
    const { status, report } = scan('--strict', ...said(text));
    expect([status, report]).toMatchObject([0, { unusedWaivers: [] }]);
    const expired = other.replace('known"\n', 'known"\nexpires = 2020-01-01\n');
    expect(scan('--strict', ...said(text.replace(other, expired))).report).toMatchObject({
      unusedWaivers: [`${policy}:9: known (known-home, output other-*, entry share/*: expired 2020-01-01)`],
    });
  });

  it('has facts whose fingerprint depends on what changes them alone', () => {
    const rules = (text: string, ...args: string[]) =>
      (scan(...args, ...said(text)).report as unknown as { rules: string }).rules;
    const plain = rules('');
    expect(rules(KNOWN)).toBe(plain);
    expect(rules('[rules]\nknown-home = "note"\n[gaps]\nignore = ["corrupt"]')).toBe(plain);
    expect(rules('', '--strict')).toBe(plain);
    expect(rules('homes = ["/home/zoe"]')).not.toBe(plain);
    expect(rules('aliases = ["/gpfs/store"]')).not.toBe(plain);
    expect(rules('allow = ["/home/noamyr/x"]')).not.toBe(plain);
    expect(rules('placeholders = { add = ["alex"] }')).not.toBe(plain);
    expect(rules('[limits]\ndepth = 3')).not.toBe(plain);
    expect(rules('[limits]\ndepth = 3', '--max-depth', '16')).toBe(rules('', '--max-depth', '16'));
  });

  it('takes homes, allowed paths, placeholders and ignored gaps from it', () => {
    const text =
      'homes = ["/home/alex"]\nallow = ["/home/noamyr/src"]\n[gaps]\nignore = ["unsupported"]\n' +
      '[rules.known-home]\nbytes = "warning"\n';
    const { status, report } = scan(...said(text));
    expect(status).toBe(0);
    expect(report.outputs[0]?.findings).toMatchObject([
      { rule: 'known-home', severity: 'warning', home: '/home/alex' },
    ]);
  });

  it('is refused as a whole for any fault, by exit status 2 and one line', () => {
    const { status, stdout, stderr } = narScan([...HOME, ...said(`${KNOWN}frob = 1\n`), output]);
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(/^nar-scan: .*policy\.toml:5: waivers\[1\]\.frob: is no key of a policy .*\n$/);
  });
});

describe('--update-baseline', () => {
  it('makes the next run clean, and adds nothing in a second one', () => {
    const first = narScan([...HOME, '--update-baseline', policy, output]);
    expect(first.status).toBe(1);
    expect(first.stderr).toBe(`nar-scan: 2 waivers were added to ${policy}\n`);
    const text = readFileSync(policy, 'utf8');
    const second = narScan([...HOME, '--update-baseline', policy, output]);
    expect(second.stderr).toBe(`nar-scan: 0 waivers were added to ${policy}\n`);
    expect(readFileSync(policy, 'utf8')).toBe(text);
    expect(scan('--policy', policy).status).toBe(0);
    expect(scan('--policy', policy, '--strict').status).toBe(1);

    writeFileSync(join(output, 'share/new'), '/home/noamyr/new');
    expect(scan('--policy', policy).status).toBe(1);
    rmSync(join(output, 'share/new'));
  });

  it('adds nothing when the run had errors', () => {
    const { status, stderr } = narScan([...HOME, '--update-baseline', policy, output, '/nowhere']);
    expect(status).toBe(1);
    expect(stderr).toContain('no waivers were added');
    expect(() => readFileSync(policy)).toThrow('ENOENT');
  });
});

describe('the commands', () => {
  it('policy check tells all faults, or that there are none', () => {
    said('a = 1\nb = 2\n');
    const bad = narScan(['policy', 'check', policy]);
    expect([bad.status, bad.stdout.split('\n').length]).toEqual([2, 3]);
    said(KNOWN.replace('share', '/share'));
    const odd = narScan(['policy', 'check', policy]);
    expect([odd.status, odd.stdout.split('\n').length]).toEqual([0, 3]);
    expect(narScan(['policy', 'check', '--policy', policy]).stdout).toBe(odd.stdout);
    expect(narScan(['policy', 'check', '/nowhere']).status).toBe(2);
    expect(narScan(['policy', 'check', policy, policy]).status).toBe(2);
  });

  it('policy check warns of programs that cannot be started here', () => {
    said('[guard]\nthen = ["/nowhere/hook"]\n[notify]\ncommand = ["/etc/passwd"]\n');
    const { status, stdout } = narScan(['policy', 'check', policy]);
    expect(status).toBe(0);
    expect(stdout).toContain(
      `${policy}: guard.then: '/nowhere/hook' does not exist on this machine (warning)\n`,
    );
    expect(stdout).toContain(
      `${policy}: notify.command: '/etc/passwd' cannot be started: EACCES (warning)\n`,
    );
  });

  it('policy print says where the policy is from, and what does not count', () => {
    const own = join(folder, 'nar-scan/config.toml');
    mkdirSync(join(folder, 'nar-scan'), { recursive: true, mode: 0o755 });
    writeFileSync(own, KNOWN, { mode: 0o644 });
    const env = { PATH: process.env['PATH'], XDG_CONFIG_HOME: folder };
    const printed = narScan(['policy', 'print'], { env });
    const lines = printed.stdout.split('\n');
    expect(lines[0]).toBe(`# from ${own}`);
    expect(lines).toContain('mode = "enforce"');
    expect(printed.stdout.endsWith(`\n\n${KNOWN}`)).toBe(true);
    const other = narScan(['policy', 'print', '--policy', '/dev/null'], { env });
    expect(other.stdout).toContain(`# ${own} is there as well, and does not count\n`);
  });
});
