import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  NAR_SCAN,
  leakLines,
  onlyOutput,
  ROOT,
  type Report,
  type ReportedOutput,
} from '../support/narScan.ts';
import { needs } from '../support/programs.ts';

const LEAKING_NAR = join(ROOT, 'fixtures/leaks/23-store-alias.nar');
const LEAKING = readFileSync(LEAKING_NAR);
const OPTIONS = ['--no-host-homes', '--home', '/home/noamyr', '--format', 'json'];

let folder: string;
let expected: Pick<ReportedOutput, 'narHash' | 'gaps'> & { readonly leaks: readonly string[] };

/** What a script of sh gives, in which `scan` is the program and its options. */
function shell(script: string, ...words: readonly string[]): Report {
  const text = `scan() { '${NAR_SCAN}' ${OPTIONS.join(' ')} "$@"; }\n${script}`;
  const { stdout } = spawnSync('sh', ['-c', text, 'sh', ...words], { encoding: 'utf8', timeout: 60_000 });
  return JSON.parse(stdout) as Report;
}

function facts(report: Report): typeof expected {
  const output = onlyOutput(report);
  return { narHash: output.narHash, gaps: output.gaps, leaks: leakLines(output) };
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'nar-scan-stdin-'));
  expected = facts(shell('scan "$1"', LEAKING_NAR));
});

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe('standard input', () => {
  it('may be a pipe, a pipe of a slow writer, or a file', () => {
    for (const script of [
      'cat "$1" | scan -',
      '(head -c 300 "$1"; sleep 0.3; tail -c +301 "$1" | head -c 5; sleep 0.3; tail -c +306 "$1") | scan -',
      'scan - < "$1"',
    ]) {
      expect([script, facts(shell(script, LEAKING_NAR))]).toEqual([script, expected]);
    }
  });

  it('is read from where its file stands', () => {
    const moved = join(folder, 'moved');
    writeFileSync(moved, Buffer.concat([Buffer.alloc(512), LEAKING]));
    const report = shell('(dd bs=512 count=1 of=/dev/null 2>/dev/null; scan -) < "$1"', moved);
    expect(facts(report)).toEqual(expected);
  });

  it('stays blocking for the programs that share a pipe', () => {
    const report = shell('(sleep 1; cat "$1") | (scan - ; cat >/dev/null || echo "{}")', LEAKING_NAR);
    expect(facts(report)).toEqual(expected);
  });

  it('may be a socket', async () => {
    const server = createServer((socket) => {
      socket.write(LEAKING.subarray(0, 100));
      setTimeout(() => socket.end(LEAKING.subarray(100)), 300);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const script = `exec 3<>/dev/tcp/127.0.0.1/${(server.address() as AddressInfo).port}; exec "$0" "$@" <&3`;
    const child = spawn('bash', ['-c', script, NAR_SCAN, ...OPTIONS, '-'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let text = '';
    child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
    await once(child, 'close');
    server.close();
    expect(facts(JSON.parse(text) as Report)).toEqual(expected);
  });

  it('that is closed or empty is never clean', () => {
    for (const script of ['scan - <&-', 'scan - </dev/null', ': | scan -']) {
      expect([script, shell(script).verdict]).toEqual([script, 'incomplete']);
    }
  });
});

describe('a signal while nothing comes', () => {
  const writers = [
    ['a pipe', 'head -c 200 "$1"; sleep 30'],
    ['a compressed pipe', 'xz -c "$1" | head -c 200; sleep 30'],
  ] as const;
  for (const [name, writer] of writers) {
    it.skipIf(!needs('xz'))(`ends the scan of ${name} soon, and never clean`, () => {
      const started = performance.now();
      const scan = `'${NAR_SCAN}' ${OPTIONS.join(' ')} - & pid=$!; sleep 1; kill -TERM $pid; wait $pid`;
      // the writer sleeps on: nothing but the signal can end the reader
      const script = `mkfifo "$2"; (${writer}) > "$2" & writer=$!; (${scan}) < "$2"; kill $writer`;
      const fifo = join(folder, name);
      const { stdout } = spawnSync(
        'bash',
        ['-c', script.replace(' - &', ' - <&0 &'), 'sh', LEAKING_NAR, fifo],
        {
          encoding: 'utf8',
          timeout: 20_000,
        },
      );
      const report = JSON.parse(stdout) as Report;
      expect(report.errors.map(({ code }) => code)).toEqual(['INTERRUPTED']);
      expect(onlyOutput(report).gaps.map(({ reason }) => reason)).toContain('limit-time');
      expect(performance.now() - started).toBeLessThan(5000);
    });
  }
});
