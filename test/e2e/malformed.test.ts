import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { narScanReport, ROOT } from '../support/narScan.ts';
import { needs } from '../support/programs.ts';

const MALFORMED = join(ROOT, 'fixtures/malformed');
const OK = join(ROOT, 'fixtures/ok');
const OPTIONS = ['--no-host-homes', '--home', '/home/noamyr'];

const narsOf = (folder: string): readonly string[] =>
  readdirSync(folder)
    .filter((name) => name.endsWith('.nar'))
    .toSorted();

/** How a NAR is compressed before it is scanned again: ending and command. */
const COMPRESSORS: Readonly<Record<string, readonly [string, ...string[]]>> = {
  xz: ['xz', '-c'],
  zst: ['zstd', '-qc'],
  bz2: ['bzip2', '-c'],
  gz: ['gzip', '-c'],
  br: ['brotli', '-c'],
  lz4: ['lz4', '-qc'],
  lz: ['lzip', '-c'],
  lzma: ['xz', '--format=lzma', '-c'],
  Z: ['compress', '-cf'],
};

describe('a malformed NAR is never clean', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'nar-scan-malformed-'));
  });
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  const files = narsOf(MALFORMED);

  it('there are some of every kind', () => {
    expect(files.length).toBeGreaterThan(50);
  });

  it('each ends as incomplete or contaminated, with the error of its name', () => {
    const { report, status } = narScanReport([...OPTIONS, ...files.map((name) => join(MALFORMED, name))]);
    expect(report.outputs).toHaveLength(files.length);
    for (const [index, name] of files.entries()) {
      const output = report.outputs[index];
      const code = name.slice(0, name.indexOf('--'));
      expect([name, output?.verdict]).not.toContain('clean');
      // A number 1 before the magic is how an export stream begins.
      const wanted = name.startsWith('NAR_BAD_MAGIC--second-magic') ? 'EXPORT_' : code;
      const details = output?.gaps.map(({ detail }) => detail).join('\n');
      expect([name, details]).toEqual([name, expect.stringContaining(wanted)]);
    }
    expect(status).toBe(1);
  });

  it('each alone exits with 1 or 3, from a file and from stdin', () => {
    for (const name of files.filter((_, index) => index % 5 === 0)) {
      const file = join(MALFORMED, name);
      expect([name, narScanReport([...OPTIONS, file]).status]).toEqual([name, expect.toBeOneOf([1, 3])]);
      const { status } = narScanReport([...OPTIONS, '-'], { stdin: readFileSync(file) });
      expect([name, status]).toEqual([name, expect.toBeOneOf([1, 2, 3])]);
    }
  });

  for (const [ending, [program, ...args]] of Object.entries(COMPRESSORS)) {
    it.skipIf(!needs(program))(`nor is it inside ${ending}`, () => {
      const targets = files.map((name) => {
        // As Nix names them: .nar alone says nothing of gzip, lzma and compress.
        const target = join(folder, ending === 'Z' ? `Z-${name}` : `${name}.${ending}`);
        writeFileSync(target, execFileSync(program, args, { input: readFileSync(join(MALFORMED, name)) }));
        return target;
      });
      const plain = narScanReport([...OPTIONS, ...files.map((name) => join(MALFORMED, name))]).report;
      const { report } = narScanReport([...OPTIONS, ...targets]);
      expect(report.outputs).toHaveLength(files.length);
      for (const [index, name] of files.entries()) {
        expect([name, report.outputs[index]?.verdict]).not.toContain('clean');
        expect([name, report.outputs[index]?.verdict]).toEqual([name, plain.outputs[index]?.verdict]);
      }
    });
  }
});

describe('well-formed edge cases are read', () => {
  const files = narsOf(OK);

  it('without an error or a gap', () => {
    const { report } = narScanReport([...OPTIONS, ...files.map((name) => join(OK, name))]);
    const seen = report.outputs.map(({ target, gaps, findings }) => [
      basename(target),
      gaps.map(({ reason }) => reason),
      findings.filter(({ severity }) => severity === 'error'),
    ]);
    expect(seen).toEqual(files.map((name) => [name, [], []]));
    expect(report.errors).toEqual([]);
  });
});
