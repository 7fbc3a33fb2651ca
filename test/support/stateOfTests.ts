import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';

/* Set up before the tests of a file: no test may write to the state of this machine or its users. */

const state = mkdtempSync(join(tmpdir(), 'nar-scan-state-'));
process.env['NAR_SCAN_STATE'] = state;
afterAll(() => rmSync(state, { recursive: true, force: true }));
