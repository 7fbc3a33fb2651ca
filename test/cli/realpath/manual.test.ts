import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { realpathManual } from '../../../src/cli/realpath/manual.ts';
import { OPTIONS } from '../../../src/cli/realpath/options.ts';

it('the manual page of nix-realpath describes every option, and groff draws it without a warning', () => {
  const page = realpathManual('0.1.0');
  expect(page).toMatch(/^[\n -~]*$/);
  for (const name of OPTIONS.flatMap(({ names }) => names)) {
    expect(page).toContain(`\\-\\-${name.replaceAll('-', '\\-')}`);
  }
  const run = spawnSync('groff', ['-mandoc', '-ww', '-Tascii'], { input: page, encoding: 'utf8' });
  if (run.error === undefined) expect(run.stderr).toBe('');
});
