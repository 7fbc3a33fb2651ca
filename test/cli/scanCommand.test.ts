import { spawn, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { STORE_PATH } from '../report/madeFacts.ts';

const program = fileURLToPath(new URL('fakeEngineProgram.ts', import.meta.url));
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'nar-scan-cli-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function run(...words: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...words], { encoding: 'utf8' });
  return { status, stdout, stderr };
}

/** Runs it under a shell, whose `$0` is Node and `$1` the program. */
function shell(script: string) {
  const { status, stdout, stderr } = spawnSync('/bin/sh', ['-c', script, process.execPath, program], {
    encoding: 'utf8',
    cwd: folder,
  });
  return { status, stdout, stderr };
}

describe('the exit status', () => {
  it.each([
    ['clean', 0],
    ['leak', 1],
    ['gap', 3],
    ['fault', 2],
    ['throw', 2],
    ['nothing', 2],
    ['clean gap', 3],
    ['clean fault', 2],
    ['gap fault', 2],
    ['gap leak fault', 1],
    ['leak throw', 1],
  ])('of %s is %i', (targets, status) => {
    expect(run(...targets.split(' ')).status).toBe(status);
  });

  it('stays that of the verdict when the reader has gone', () => {
    expect(shell('{ "$0" "$1" many; echo $? >status; } | :').stderr).toBe('');
    expect(readFileSync(join(folder, 'status'), 'utf8')).toBe('1\n');
    shell('{ "$0" "$1" clean; echo $? >status; } | :');
    expect(readFileSync(join(folder, 'status'), 'utf8')).toBe('0\n');
  });
});

describe('errors', () => {
  it('are one printable line each on stderr, and in the report', () => {
    const { stdout, stderr } = run('--format', 'json', 'clean', 'throw');
    expect(stderr).toBe(
      'nar-scan: engine \\x1b[2J broke [INTERNAL]; ' +
        'this is a fault of the program; NAR_SCAN_DEBUG=1 shows where, please report it\n',
    );
    const report = JSON.parse(stdout) as {
      verdict: string;
      errors: { code: string }[];
      tool: object;
      rules: string;
    };
    expect(report.verdict).toBe('incomplete');
    expect(report.errors.map(({ code }) => code)).toEqual(['INTERNAL']);
    expect(report.tool).toEqual({ name: 'nar-scan', version: '0.0.0', kernel: 'fake' });
    expect(report.rules).toBe('fake-rules');
  });

  it('include a run that had no output at all', () => {
    expect(run('nothing').stderr).toContain('[NO_OUTPUTS]');
  });
});

describe('--print-clean', () => {
  it('prints clean paths to stdout and what is not clean to stderr', () => {
    const { stdout, stderr, status } = run('--print-clean', 'leak', 'clean', 'gap');
    expect(stdout).toBe(`${STORE_PATH}\n`);
    expect(stderr.split('\n')).toHaveLength(3);
    expect(status).toBe(1);
    expect(run('--print-clean', '--quiet', 'leak', 'clean').stderr).toBe('');
  });
});

describe('colour', () => {
  it('is used when asked for, never into a pipe by itself', () => {
    expect(run('leak').stdout).not.toContain('\x1b');
    expect(run('--color=always', 'leak').stdout).toContain('\x1b[1;4;31m/home/noamyr\x1b[0m');
  });
});

describe('--output', () => {
  it('puts the whole report in place, over an old one, and through a link', () => {
    const file = join(folder, 'report.json');
    const link = join(folder, 'link.json');
    writeFileSync(file, 'old');
    symlinkSync('report.json', link);
    expect(run('--format=json', '--output', link, 'leak')).toEqual({ status: 1, stdout: '', stderr: '' });
    expect(JSON.parse(readFileSync(file, 'utf8'))).toHaveProperty('verdict', 'contaminated');
    expect(readdirSync(folder).filter((name) => name.startsWith('.nar-scan'))).toEqual([]);
  });

  it('writes devices as they are', () => {
    expect(run('--output', '/dev/null', 'clean').status).toBe(0);
    expect(shell('"$0" "$1" --output /dev/stdout clean | cat').stdout).toContain('clean');
  });

  it.each(['missing/report', '.'])('says why %s cannot be written', (name) => {
    const { status, stderr } = run('--output', join(folder, name), 'clean');
    expect(status).toBe(2);
    expect(stderr).toMatch(/^nar-scan: the report cannot be written to .*\[REPORT_NOT_WRITTEN\].*\n$/);
  });

  it('ends with 2 and leaves nothing half-written when the disk is full', () => {
    expect(run('--output', '/dev/full', 'clean').status).toBe(2);
    const { status, stderr } = shell('ulimit -f 1; trap "" XFSZ; "$0" "$1" --output full many');
    expect(status).toBe(2);
    expect(stderr).toMatch(/^nar-scan: the report cannot be written to full: EFBIG.*\n$/);
    expect(existsSync(join(folder, 'full'))).toBe(false);
    expect(readdirSync(folder).filter((name) => name.startsWith('.nar-scan'))).toEqual([]);
  });

  it('ends with 2 when stdout is full', () => {
    const { status, stderr } = shell('"$0" "$1" clean >/dev/full');
    expect(status).toBe(2);
    expect(stderr).toMatch(/^nar-scan: the report cannot be written to stdout: ENOSPC.*\n$/);
  });
});

describe('signals', () => {
  /** @param every milliseconds from one signal to the next */
  async function interrupted(signals: NodeJS.Signals[], words: string[], every = 0) {
    const child = spawn(process.execPath, [program, ...words], { cwd: folder });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (text) => (stdout += String(text)));
    child.stderr.on('data', (text) => {
      stderr += String(text);
      if (stderr === 'waiting\n') {
        signals.forEach((signal, at) => setTimeout(() => child.kill(signal), at * every));
      }
    });
    const [status, signal] = await new Promise<[number | null, string | null]>((resolve) => {
      child.on('close', (code, killedBy) => resolve([code, killedBy]));
    });
    return { status, signal, stdout, stderr };
  }

  it.each(['SIGINT', 'SIGTERM'] as const)('%s reports what was found, and is never clean', async (signal) => {
    const clean = await interrupted([signal], ['--format=json', 'clean', 'wait']);
    expect(clean.status).toBe(2);
    expect(JSON.parse(clean.stdout)).toMatchObject({
      verdict: 'incomplete',
      errors: [{ code: 'INTERRUPTED' }],
    });
    expect(clean.stderr).toContain(`interrupted by ${signal} [INTERRUPTED]`);
    expect((await interrupted([signal], ['leak', 'wait'])).status).toBe(1);
  });

  it('that come together are one, as those of timeout, which has a group and its program ended', async () => {
    const signals = ['SIGTERM', 'SIGTERM', 'SIGHUP'] as const;
    const ended = await interrupted([...signals], ['--format=json', 'leak', 'wait', 'pause', 'leak']);
    expect(ended).toMatchObject({ status: 1, signal: null });
    expect(JSON.parse(ended.stdout).outputs).toHaveLength(2);
  });

  it('twice end it at once and leave nothing behind', async () => {
    // on a busy machine two may arrive together
    const signals = Array.from({ length: 5 }, () => 'SIGINT' as const);
    const ended = await interrupted(signals, ['--output', 'twice', 'leak', 'deaf'], 700);
    expect(ended.signal).toBe('SIGINT');
    expect(
      readdirSync(folder).filter((name) => name.includes('twice') || name.startsWith('.nar-scan')),
    ).toEqual([]);
  });
});
