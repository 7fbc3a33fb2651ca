import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import type { TestProject } from 'vitest/node';
import { ROOT } from './narScan.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** A folder with all sources below src as JavaScript, under their own names. */
    strippedSources: string;
  }
}

/**
 * Set up once, before all tests: the sources without their types, for the threads of tests
 * (threadsOfTests.ts). One thread alone strips them, and no other runs the WebAssembly that does.
 */
export default function setup({ provide }: TestProject): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'nar-scan-stripped-'));
  for (const entry of readdirSync(join(ROOT, 'src'), { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (!path.endsWith('.ts') || path.endsWith('.d.ts') || path.includes('/kernel/assembly/')) continue;
    const stripped = join(folder, relative(ROOT, path));
    mkdirSync(dirname(stripped), { recursive: true });
    writeFileSync(stripped, stripTypeScriptTypes(readFileSync(path, 'utf8')));
  }
  provide('strippedSources', folder);
  return () => rmSync(folder, { recursive: true, force: true });
}
