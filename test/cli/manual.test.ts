import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { COMMANDS } from '../../src/cli/commands.ts';
import { FLAGS } from '../../src/cli/flags.ts';
import { manualPage } from '../../src/cli/manual.ts';
import { RULES } from '../../src/model/facts.ts';

const page = manualPage('0.1.0');

/** The page as text, or null where the machine has no groff. */
function rendered(): { text: string; warnings: string } | null {
  const run = spawnSync('groff', ['-mandoc', '-ww', '-Tascii', '-P-c'], { input: page, encoding: 'utf8' });
  return run.error === undefined ? { text: run.stdout.replaceAll(/.\x08/g, ''), warnings: run.stderr } : null;
}

describe('the manual page', () => {
  it('describes every command, flag and rule', () => {
    for (const { name } of COMMANDS) expect(page).toContain(`.TP\n\\fB${name.replaceAll('-', '\\-')}\\fR\n`);
    for (const { name } of FLAGS) expect(page).toContain(`\\fB\\-\\-${name.replaceAll('-', '\\-')}\\fR`);
    for (const rule of RULES) expect(page).toContain(`\\fB${rule.replaceAll('-', '\\-')}\\fR`);
  });

  it('is the same whenever it is built', () => {
    expect(manualPage('0.1.0')).toBe(page);
    expect(page).toContain('.TH NAR\\-SCAN 1 "" "nar\\-scan 0.1.0"');
    expect(page).toMatch(/^[\n -~]*$/);
  });

  it.runIf(rendered() !== null)('is drawn by groff without a warning', () => {
    const { text, warnings } = rendered() ?? { text: '', warnings: 'no groff' };
    expect(warnings).toBe('');
    for (const { name } of FLAGS) expect(text).toMatch(new RegExp(`^ +(-., )?--${name}( |$)`, 'm'));
    expect(text).toContain("this machine's users");
  });
});
