import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';

/** A program as the bench runs it: what it prints goes nowhere. */
export interface Command {
  readonly program: string;
  readonly args: readonly string[];
  /** A file that is its stdin, or a program whose output is. */
  readonly stdin?: string | Command;
  /** Its environment; else that of the bench. */
  readonly env?: NodeJS.ProcessEnv;
  /** Exit statuses that count as success. */
  readonly statuses: readonly number[];
}

export interface Run {
  readonly seconds: number;
  /** Peak resident memory in bytes, as the kernel's high-water mark said; 0 when not watched. */
  readonly peakBytes: number;
  readonly status: number;
}

/** Runs a command once: wall time from before the start to after the end. */
export async function runOnce(command: Command, watchMemory = false): Promise<Run> {
  const file = typeof command.stdin === 'string' ? openSync(command.stdin, 'r') : null;
  const feeder = typeof command.stdin === 'object' ? start(command.stdin, 'ignore', 'pipe') : null;
  const began = process.hrtime.bigint();
  const child = start(command, feeder === null ? (file ?? 'ignore') : feeder.stdout, 'ignore');
  // The child owns the pipe now; held here too it would never see its writer end.
  feeder?.stdout?.destroy();
  let peakBytes = 0;
  const watch = watchMemory
    ? setInterval(() => {
        peakBytes = Math.max(peakBytes, highWater(child.pid));
      }, 20)
    : undefined;
  try {
    const status = await new Promise<number>((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (code, signal) => {
        if (code === null) reject(new Error(`${command.program} ended by ${signal}`));
        else resolve(code);
      });
    });
    const seconds = Number(process.hrtime.bigint() - began) / 1e9;
    if (!command.statuses.includes(status)) {
      throw new Error(`${[command.program, ...command.args].join(' ')} exited with ${status}`);
    }
    return { seconds, peakBytes, status };
  } finally {
    clearInterval(watch);
    feeder?.kill();
    if (file !== null) closeSync(file);
  }
}

type StdioEnd = 'ignore' | 'pipe' | number | NodeJS.ReadableStream | null;

function start(command: Command, stdin: StdioEnd, stdout: 'ignore' | 'pipe') {
  return spawn(command.program, command.args, {
    env: command.env ?? process.env,
    stdio: [stdin as 'ignore', stdout, 'ignore'],
  });
}

/** VmHWM of a process, in bytes; 0 once it is gone. */
function highWater(pid: number | undefined): number {
  try {
    const line = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'));
    return Number(line?.[1] ?? 0) * 1024;
  } catch {
    return 0; // The process has ended between two looks.
  }
}

/** Seconds of two commands, run by turns: which goes first changes from pair to pair. */
export interface Pairs {
  readonly peer: readonly number[];
  readonly subject: readonly number[];
}

/** Runs two commands in alternating pairs, after one run of each that warms caches and is not counted. */
export async function alternate(peer: Command, subject: Command, pairs: number): Promise<Pairs> {
  await runOnce(peer);
  await runOnce(subject);
  const seconds = { peer: [] as number[], subject: [] as number[] };
  for (let pair = 0; pair < pairs; pair++) {
    if (pair % 2 === 0) {
      seconds.peer.push((await runOnce(peer)).seconds);
      seconds.subject.push((await runOnce(subject)).seconds);
    } else {
      seconds.subject.push((await runOnce(subject)).seconds);
      seconds.peer.push((await runOnce(peer)).seconds);
    }
  }
  return seconds;
}

/** The middle of a list of numbers; of two middles their mean. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other);
  const half = sorted.length >> 1;
  const upper = sorted[half] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[half - 1] ?? upper) + upper) / 2;
}
