import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { needs } from '../support/programs.ts';

const program = fileURLToPath(new URL('../../src/cli/entry.cts', import.meta.url));
const schemaUrl = new URL('../../src/report/report.schema.json', import.meta.url);
const schema = JSON.parse(readFileSync(schemaUrl, 'utf8')) as object;
const validate = new Ajv2020({ strict: true, allowUnionTypes: true, strictRequired: false }).compile(schema);

interface Report {
  verdict: string;
  outputs: { findings: { id: string }[]; gaps: { id: string }[] }[];
}

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'nar-scan-report-'));
  const tree = join(folder, 'tree');
  mkdirSync(join(tree, 'bin'), { recursive: true });
  writeFileSync(join(tree, 'bin/tool'), '#!/home/noamyr/bin/sh\necho \x1b[31m/home/noamyr/x\n');
  writeFileSync(Buffer.from(`${tree}/a\xff\x1b[2J`, 'latin1'), 'L"/home/noamyr"\n');
  symlinkSync('/home/noamyr/nix/store/0123456789abcdfghijklmnpqrsvwxyz-x', join(tree, 'link'));
  execFileSync('mkfifo', [join(tree, 'fifo')]);
});
afterAll(() => rmSync(folder, { recursive: true }));

function scan(...words: string[]) {
  return spawnSync(process.execPath, [program, '--no-host-homes', '--home', '/home/noamyr', ...words], {
    encoding: 'utf8',
    cwd: folder,
  });
}

describe('a real report', () => {
  it('is accepted by the shipped schema, as JSON and as JSON lines', () => {
    const { stdout } = scan('--format', 'json', 'tree', 'missing');
    const report = JSON.parse(stdout) as Report;
    expect(validate(report), JSON.stringify(validate.errors)).toBe(true);
    expect(report.verdict).toBe('contaminated');
    expect(report.outputs[0]?.findings.length).toBeGreaterThanOrEqual(4);
    expect(report.outputs[0]?.gaps).toHaveLength(1);
    const lines = scan('--format', 'jsonl', 'tree', 'missing').stdout.trimEnd().split('\n');
    expect(lines).toHaveLength(2);
    for (const line of lines) expect(validate(JSON.parse(line)), line).toBe(true);
  });

  it('shows no raw control character of a file or its name', () => {
    const { stdout } = scan('tree');
    expect(stdout).toContain('a\\xff\\x1b[2J');
    expect(stdout).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f]/);
  });

  it.skipIf(!needs('nix-store'))('gives the same leak the same id in a tree and in its NAR', () => {
    const idsOf = (target: string) =>
      (JSON.parse(scan('--format', 'json', target).stdout) as Report).outputs[0]?.findings.map(
        ({ id }) => id,
      );
    rmSync(join(folder, 'tree/fifo'));
    execFileSync('/bin/sh', ['-c', 'nix-store --dump tree >tree.nar'], { cwd: folder });
    const ids = idsOf('tree');
    expect(new Set(ids).size).toBeGreaterThanOrEqual(4);
    expect(idsOf('tree.nar')).toEqual(ids);
  });
});
