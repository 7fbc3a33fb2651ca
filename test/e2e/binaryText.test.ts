import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { narScanReport, onlyOutput } from '../support/narScan.ts';
import { needs } from '../support/programs.ts';

const folder = mkdtempSync(join(tmpdir(), 'nar-scan-text-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.skipIf(!needs('gcc'))('text inside a program', () => {
  it.each([100, 5000])('is no field of its dynamic section, be it %i bytes without a NUL', (length) => {
    const text = `${'a b '.repeat(length / 4)} /home/zoe/x`;
    const source = join(folder, `t${length}.c`);
    writeFileSync(
      source,
      `#include <stdio.h>\nconst char text[] = "${text}";\nint main(void) { puts(text); }\n`,
    );
    const program = join(folder, `t${length}`);
    execFileSync('gcc', [source, '-o', program, '-Wl,-rpath,/nix/store/x/lib']);
    const { findings } = onlyOutput(narScanReport(['--no-host-homes', '--max-depth', '0', program]).report);
    expect(findings.map(({ carrier, severity }) => `${severity} ${carrier}`)).toEqual(['warning bytes']);
  });
});
