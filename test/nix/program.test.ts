import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LIMITS } from '../../src/model/limits.ts';
import { findNix, runNix } from '../../src/nix/program.ts';

let folder: string;

beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'nar-scan-program-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Runs a shell script in the place of Nix. */
async function run(script: string, signal = new AbortController().signal) {
  const nix = join(folder, 'nix');
  writeFileSync(nix, `#!/bin/sh\n${script}\n`);
  chmodSync(nix, 0o755);
  const lines: string[] = [];
  const environment = { PATH: `${folder}:/usr/bin:/bin` };
  const ended = runNix({ args: ['copy', 'x'], environment, said: (line) => lines.push(line), signal });
  const printed = await ended.catch((error: unknown) => error);
  return { printed, lines };
}

describe('a run of Nix', () => {
  it('gives what it printed, and tells what it said, line by line', async () => {
    expect(await run('printf "%s\\n" "$@"; printf "one\\ntwo\\n\\303\\251" >&2')).toEqual({
      printed: '--extra-experimental-features\nnix-command\ncopy\nx\n',
      lines: ['one', 'two', 'é'],
    });
  });

  it('leaves out empty lines, and what else ends lines', async () => {
    const { lines } = await run('printf "ssh: no host\\r\\n\\n  body:\\n   \\n    x\\n\\n" >&2');
    expect(lines).toEqual(['ssh: no host', '  body:', '    x']);
  });

  it.each([
    ['echo "error: no such store" >&2; exit 1', 'nix copy ended with status 1: error: no such store'],
    [
      'printf "copying\\nerror:\\n   … while copying\\n   error: no space\\n   hint\\n" >&2; exit 3',
      'nix copy ended with status 3: error: no space',
    ],
    ['exit 7', 'nix copy ended with status 7'],
    ['kill -9 $$', 'nix copy ended with SIGKILL'],
  ])('that fails says what Nix said (%#)', async (script, message) => {
    expect((await run(script)).printed).toMatchObject({ code: 'NIX_FAILED', message });
  });

  it('cuts lines that never end', async () => {
    const { lines } = await run(`head -c ${3 * LIMITS.nixLineBytes} /dev/zero | tr '\\0' x >&2`);
    expect(lines.join('')).toMatch(/^x+$/);
    expect(Math.max(...lines.map((line) => line.length))).toBe(LIMITS.nixLineBytes);
  });

  it('is ended by the signal, with its reason', async () => {
    const controller = new AbortController();
    const ended = run('echo begun >&2; exec sleep 100', controller.signal);
    setTimeout(() => controller.abort(new Error('enough')), 100);
    expect((await ended).printed).toMatchObject({ message: 'enough' });
  });

  it('needs a Nix', async () => {
    const environment = { PATH: folder };
    const missing = runNix({
      args: ['copy'],
      environment,
      said: () => undefined,
      signal: new AbortController().signal,
    });
    await expect(missing).rejects.toMatchObject({ code: 'NIX_MISSING' });
    expect(() => findNix(environment)).toThrow(expect.objectContaining({ code: 'NIX_MISSING' }));
    expect(() => findNix({})).toThrow(expect.objectContaining({ code: 'NIX_MISSING' }));
    await run('exit 0');
    expect(() => findNix(environment)).not.toThrow();
  });
});
