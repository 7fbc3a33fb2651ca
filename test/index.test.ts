import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BUILT_IN_POLICY, decide, refuseHome, scan, type ScanRequest, verdictOfRun } from '../src/index.ts';
import { ROOT } from './support/narScan.ts';

const REQUEST: ScanRequest = {
  targets: [],
  storeDir: '/nix/store',
  homes: ['/home/noamyr'],
  hostHomes: false,
  aliases: [],
  limits: {},
  hashNars: false,
  exportStream: false,
};

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'nar-scan-api-'));
  mkdirSync(join(folder, 'clean'));
  mkdirSync(join(folder, 'leaking'));
  writeFileSync(join(folder, 'clean/file'), 'nothing in it\n');
  writeFileSync(join(folder, 'leaking/file'), 'prefix=/home/noamyr/x\n');
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the public API', () => {
  it('gives facts of each target in order, and errors beside them', async () => {
    const targets = ['leaking', 'missing', 'clean'].map((name) => join(folder, name));
    const { outputs, errors } = await scan({ ...REQUEST, targets }, { jobs: 2 });
    expect(outputs.map(({ target, findings }) => [target, findings.length])).toEqual([
      [targets[0], 1],
      [targets[2], 0],
    ]);
    expect(errors.map(({ code, target }) => [code, target])).toEqual([['TARGET_MISSING', targets[1]]]);
    const verdicts = outputs.map(
      (facts) => decide(facts, BUILT_IN_POLICY.verdict, new Date()).result.verdict,
    );
    expect(verdicts).toEqual(['contaminated', 'clean']);
    expect(verdictOfRun(new Set(verdicts), errors.length)).toBe('contaminated');
  });

  it('says nothing that a verdict of no outputs would call clean', async () => {
    const { outputs, errors } = await scan(REQUEST);
    expect([outputs, errors, verdictOfRun(new Set(), 0)]).toEqual([[], [], 'incomplete']);
  });

  it('a scan that was ended before it began has a gap for every target', async () => {
    const targets = ['leaking', 'clean'].map((name) => join(folder, name));
    const { outputs } = await scan({ ...REQUEST, targets }, { signal: AbortSignal.abort() });
    expect(outputs.map(({ target }) => target)).toEqual(targets);
    for (const { gaps } of outputs) expect(gaps.map(({ reason }) => reason)).toContain('limit-time');
  });

  it('knows which directories are no homes', () => {
    expect(refuseHome('/usr/lib')).not.toBeNull();
    expect(refuseHome('/home/noamyr')).toBeNull();
  });

  it.each([
    ['a target that does not exist', ['/nowhere/at/all']],
    ['no target at all', []],
  ])('leaves no thread behind that keeps a program alive, after %s', (_what, targets) => {
    const program = `
        import { scan } from ${JSON.stringify(join(ROOT, 'src/index.ts'))};
        await scan(${JSON.stringify({ ...REQUEST, targets })}, { jobs: 2 });
        console.log('scanned');
      `;
    const { status, stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
      encoding: 'utf8',
      timeout: 20_000,
    });
    expect([status, stdout]).toEqual([0, 'scanned\n']);
  });

  it('as it is built has the names that it has in its source', async () => {
    const names = (file: string): string =>
      execFileSync(
        process.execPath,
        [
          '--input-type=module',
          '-e',
          `console.log(Object.keys(await import(${JSON.stringify(file)})).join())`,
        ],
        { encoding: 'utf8', cwd: ROOT },
      );
    expect(names('nar-scan')).toBe(names(join(ROOT, 'src/index.ts')));
  });
});
