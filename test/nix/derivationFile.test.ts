import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { NarScanError } from '../../src/model/errors.ts';
import { LIMITS } from '../../src/model/limits.ts';
import { outputPathsOf } from '../../src/nix/derivation.ts';
import { readDerivation } from '../../src/nix/derivationFile.ts';

const OUT = '/nix/store/0123456789abcdfghijklmnpqrsvwxyz-x';
const DERIVATION = `Derive([("out","${OUT}","","")],[],[],"x86_64-linux","/bin/sh",[],[])`;

let folder: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'nar-scan-drv-'));
  file = join(folder, 'x.drv');
});

afterEach(() => rmSync(folder, { recursive: true }));

function fault(path: string): string {
  try {
    readDerivation(path);
    return '';
  } catch (error) {
    if (!(error instanceof NarScanError)) throw error;
    return `${error.code}: ${error.message}`;
  }
}

it('a derivation is read from its file', () => {
  writeFileSync(file, DERIVATION);
  expect(outputPathsOf(readDerivation(file))).toEqual([OUT]);
});

it('a file that is no derivation is named, with what is wrong with it', () => {
  writeFileSync(file, DERIVATION.slice(0, -1));
  expect(fault(file)).toBe(
    `DERIVATION_INVALID: the derivation '${file}' is none that Nix writes: expected ) (at ${DERIVATION.length - 1})`,
  );
});

it('what cannot be read is named, with the reason', () => {
  expect(fault(file)).toBe(`DERIVATION_UNREADABLE: the derivation '${file}' cannot be read: ENOENT`);
  expect(fault(folder)).toMatch(/it is no file$/);
});

it('a fifo is not waited for', () => {
  execFileSync('mkfifo', [file]);
  expect(fault(file)).toMatch(/^DERIVATION_UNREADABLE.*it is no file$/);
});

it('a file larger than any derivation is not read', () => {
  writeFileSync(file, '');
  truncateSync(file, LIMITS.derivationBytes + 1);
  expect(fault(file)).toMatch(/^DERIVATION_UNREADABLE.*it is larger than \d+ bytes$/);
});

it.skipIf(process.getuid?.() === 0)('nor one without permission', () => {
  writeFileSync(file, DERIVATION);
  chmodSync(file, 0);
  expect(fault(file)).toMatch(/EACCES$/);
});
