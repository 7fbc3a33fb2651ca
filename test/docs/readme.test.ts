import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { FLAGS } from '../../src/cli/flags.ts';
import type { Flag } from '../../src/cli/flags/flag.ts';
import { RULES } from '../../src/model/facts.ts';
import { examinePolicy } from '../../src/policy/read.ts';
import { ROOT } from '../support/narScan.ts';

const README = join(ROOT, 'README.md');

const cell = (text: string): string => text.replaceAll('|', '\\|');

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/** The commands that take a flag; those of one first word, where there are several, by that word. */
function takenBy({ group, commands = ['scan'] }: Flag): string {
  if (group === 'Other') return 'all';
  const groups = Map.groupBy(commands, (name) => name.split(' ')[0] ?? name);
  return [...groups]
    .map(([first, names]) =>
      names.length === 1 ? names.join('') : `${first} ${names.map((name) => name.split(' ')[1]).join('\\|')}`,
    )
    .join(', ');
}

function optionRow(flag: Flag): readonly string[] {
  const short = flag.short === undefined ? '' : `\`-${flag.short}\`, `;
  const value = flag.value === null ? '' : ` ${flag.value.name}`;
  const byHelp = Map.groupBy(Object.entries(flag.helpOf ?? {}), ([, help]) => help);
  const others = [...byHelp].map(
    ([help, commands]) => `; ${commands.map(([name]) => name).join(', ')}: ${help}`,
  );
  const help = cell(flag.help + others.join('')) + (flag.repeat ? ' (repeatable)' : '');
  return [`${short}\`--${flag.name}${cell(value)}\``, takenBy(flag), help];
}

const TABLES = {
  options: () => table(['option', 'of', 'what it does'], FLAGS.map(optionRow)),
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
