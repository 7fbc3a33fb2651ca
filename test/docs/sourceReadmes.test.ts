import { existsSync, globSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT } from '../support/narScan.ts';

const SOURCES = join(ROOT, 'src');
const FILES = globSync('**/*', { cwd: SOURCES });

/** Files and folders that a text names between backticks, without what is built. */
function named(text: string): readonly string[] {
  const quoted = [...text.matchAll(/`([^`\s]+)`/g)].map(([, name = '']) => name);
  return quoted.filter(
    (name) => /^[\w.][\w./-]*(?:\.(?:ts|js|sh|md|json)|\/)$/.test(name) && !/^dist\b/.test(name),
  );
}

/** From the folder of the README, from src or the root; a name alone anywhere below that folder. */
function isThere(name: string, folder: string): boolean {
  if ([folder, SOURCES, ROOT].some((from) => existsSync(join(from, name)))) return true;
  const below = folder === SOURCES ? '' : `${folder.slice(SOURCES.length + 1)}/`;
  const end = name.replace(/\/$/, '');
  return FILES.some((file) => file.startsWith(below) && (basename(file) === end || file.endsWith(`/${end}`)));
}

describe('the READMEs among the sources', () => {
  const readmes = globSync('**/README.md', { cwd: SOURCES });

  it.each(readmes)('%s names files that are there', (readme) => {
    const file = join(SOURCES, readme);
    const names = named(readFileSync(file, 'utf8'));
    expect(names.length).toBeGreaterThan(0);
    expect(names.filter((name) => !isThere(name, dirname(file)))).toEqual([]);
  });

  it('would be found to name one that is not', () => {
    expect(named('`a.ts` `b/` `x y.ts` `--flag` `/api/v1/` `dist/types/`')).toEqual(['a.ts', 'b/']);
    expect(['matcher.ts', 'kernel/matcher.ts', 'assembly/'].map((name) => isThere(name, SOURCES))).toEqual([
      true,
      true,
      true,
    ]);
    expect(['atcher.ts', 'kernel/match.ts', 'nowhere/'].map((name) => isThere(name, SOURCES))).toEqual([
      false,
      false,
      false,
    ]);
  });
});
