import { execFileSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Budget, CONTAINER_LIMITS } from '../../src/inspect/containers/budget.ts';
import { Window, windowsBytes } from '../../src/inspect/window.ts';
import { createMatcher } from '../../src/kernel/create.ts';
import { LIMITS } from '../../src/model/limits.ts';
import { prepareInspection } from '../../src/sources/inspection.ts';
import { scanNarFile } from '../../src/sources/narTarget.ts';
import { PACKED_BYTES } from '../../src/sources/packed.ts';
import { directory, file, nar } from '../support/narWriter.ts';

const DEPTH = 2;
let folder: string;

beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), 'nar-scan-nar-target-'))));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('a NAR in a file', () => {
  it('that became a pipe, or anything that is no file, is a gap and keeps nobody waiting', async () => {
    const matcher = createMatcher({ size: windowsBytes(0) });
    const context = { homes: [], aliases: [], storeDir: '/nix/store', hashParts: [] };
    const inspection = prepareInspection(matcher, context, { maxDepth: 0 });
    const path = join(folder, 'pipe.nar');
    execFileSync('mkfifo', [path]);
    // somebody writes to it, and says nothing
    const writer = openSync(path, constants.O_RDWR);
    const options = { exportStream: false, hasher: () => null, passed: () => false };
    const budget = new Budget(CONTAINER_LIMITS);
    try {
      const [output] = await scanNarFile(path, new Window(matcher), inspection, { ...options, budget });
      expect(output?.facts.gaps.map(({ reason }) => reason)).toEqual(['special-file']);
    } finally {
      closeSync(writer);
    }
  });

  it('is read again for what it holds, and nothing of it is kept, wherever that begins', async () => {
    const matcher = createMatcher({ size: windowsBytes(DEPTH) });
    const context = { homes: ['/home/noamyr'], aliases: [], storeDir: '/nix/store', hashParts: [] };
    const spools = {
      open: () => {
        throw new Error('bytes are kept');
      },
    };
    const inspection = prepareInspection(matcher, context, { maxDepth: DEPTH, spools });
    const text = Buffer.alloc(2 * LIMITS.chunkBytes, 'no leak in here\n');
    text.write('prefix=/home/noamyr/x\n', LIMITS.chunkBytes);
    const packed = gzipSync(text, { level: 0 });
    // right before the end of the first chunk, and of the second
    for (const before of [0, PACKED_BYTES - 2000, PACKED_BYTES + LIMITS.chunkBytes - 2000]) {
      const path = join(folder, 'x.nar');
      writeFileSync(path, nar(directory(['a', file(Buffer.alloc(before))], ['b.gz', file(packed)])));
      const options = { exportStream: false, hasher: () => null, passed: () => false };
      const budget = new Budget(CONTAINER_LIMITS);
      const [output] = await scanNarFile(path, new Window(matcher), inspection, { ...options, budget });
      const inside = output?.facts.findings.filter(({ location }) => location.container.length > 0);
      expect([before, inside?.length, output?.facts.gaps]).toEqual([before, 1, []]);
    }
  });
});
