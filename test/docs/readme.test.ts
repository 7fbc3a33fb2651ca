import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Flag, FLAGS } from '../../src/cli/flags.ts';
import { ERRORS } from '../../src/model/errors.ts';
import { RULES } from '../../src/model/facts.ts';
import { examinePolicy } from '../../src/policy/read.ts';
import { ROOT } from '../support/narScan.ts';

const README = join(ROOT, 'README.md');

const cell = (text: string): string => text.replaceAll('|', '\\|');

function table(head: readonly [string, string], rows: readonly (readonly [string, string])[]): string {
  return [head, ['---', '---'] as const, ...rows].map(([one, other]) => `| ${one} | ${other} |`).join('\n');
}

function optionRow(flag: Flag): readonly [string, string] {
  const short = flag.short === undefined ? '' : `\`-${flag.short}\`, `;
  const value = flag.value === null ? '' : ` ${flag.value.name}`;
  return [`${short}\`--${flag.name}${cell(value)}\``, cell(flag.help) + (flag.repeat ? ' (repeatable)' : '')];
}

const TABLES = {
  options: () => table(['option', 'what it does'], FLAGS.map(optionRow)),
  errors: () =>
    table(
      ['code', 'what to do'],
      Object.entries(ERRORS).map(([code, hint]) => [`\`${code}\``, cell(hint)] as const),
    ),
};

/** The text between two marks of the README. */
function section(readme: string, name: string): { before: string; text: string; after: string } {
  const [start, end] = [`<!-- ${name} -->\n`, `<!-- end of ${name} -->`];
  const [from, to] = [readme.indexOf(start) + start.length, readme.indexOf(end)];
  return { before: readme.slice(0, from), text: readme.slice(from, to), after: readme.slice(to) };
}

describe('the README is in step with the code (UPDATE_README=1 rewrites its tables)', () => {
  for (const [name, make] of Object.entries(TABLES)) {
    it(`lists all ${name}`, () => {
      const wanted = `\n${make()}\n\n`;
      const { before, text, after } = section(readFileSync(README, 'utf8'), name);
      if (process.env['UPDATE_README'] !== undefined) writeFileSync(README, before + wanted + after);
      else expect(text).toBe(wanted);
    });
  }

  it('shows a policy that is one', () => {
    const [, example = ''] = /```toml\n(homes[^]*?)```/.exec(readFileSync(README, 'utf8')) ?? [];
    expect(examinePolicy(Buffer.from(example), 'README.md').faults).toEqual([]);
    expect(example).toContain('[[waivers]]');
  });

  it('explains every rule', () => {
    const readme = readFileSync(README, 'utf8');
    expect(RULES.filter((rule) => !readme.includes(`| \`${rule}\` |`))).toEqual([]);
  });
});
