import type { ChildProcess } from 'node:child_process';
import type { Readable } from 'node:stream';
import { NarScanError } from '../../model/errors.ts';

/** How long what was printed before the end is waited for, where somebody else holds the other end. */
const DRAIN_MS = 500;
/** As shells do: the status of a program that a signal ended. */
const SIGNALLED = 128;

/**
 * Runs the hook that follows, to its end. Its standard input is closed. What it prints is passed on; the
 * pipes are this program's own, so that what it leaves running in the background cannot keep Nix
 * waiting. It leads a process group, and that is killed when the signal comes.
 *
 * @param words program, as an absolute path, and arguments
 * @returns its exit status
 * @throws NarScanError GUARD_NEXT_FAILED where it cannot be started; the reason of the signal
 */
export async function runNext(
  words: readonly string[],
  environment: NodeJS.ProcessEnv,
  signal: AbortSignal,
): Promise<number> {
  const [program = '', ...args] = words;
  signal.throwIfAborted();
  // most guards start nothing, and it takes a while to load
  const { spawn } = process.getBuiltinModule('node:child_process');
  const child = started(program, () =>
    spawn(program, args, { env: environment, detached: true, stdio: ['ignore', 'pipe', 'pipe'] }),
  );
  const kill = (): void => killGroup(child);
  signal.addEventListener('abort', kill, { once: true });
  const outputs = [passOn(child.stdout, process.stdout), passOn(child.stderr, process.stderr)];
  try {
    const status = await ended(child, program);
    signal.throwIfAborted();
    await Promise.race([Promise.all(outputs), soon()]);
    return status;
  } finally {
    signal.removeEventListener('abort', kill);
    child.stdout.destroy();
    child.stderr.destroy();
  }
}

/** Some faults, such as an environment that is too long, are thrown at once; others are told later. */
function started<T>(program: string, start: () => T): T {
  try {
    return start();
  } catch (error) {
    throw failed(program, error);
  }
}

function ended(child: ChildProcess, program: string): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', (error) => reject(failed(program, error)));
    child.once('exit', (code, signal) => {
      const { signals } = process.getBuiltinModule('node:os').constants;
      resolve(code ?? SIGNALLED + (signal === null ? 0 : signals[signal]));
    });
  });
}

/** Resolves when the source has ended; a reader who has gone is no reason for the writer to wait. */
function passOn(source: Readable, sink: NodeJS.WriteStream): Promise<void> {
  const discard = (): void => {
    source.unpipe(sink);
    source.resume();
  };
  sink.on('error', discard);
  source.pipe(sink, { end: false });
  return new Promise((resolve) => {
    source.once('close', () => {
      sink.off('error', discard);
      resolve();
    });
  });
}

function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    // it has ended by itself
    void error;
  }
}

function soon(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, DRAIN_MS).unref());
}

function failed(program: string, cause: unknown): NarScanError {
  const { code = String(cause) } = cause as NodeJS.ErrnoException;
  return new NarScanError('GUARD_NEXT_FAILED', `guard.then: '${program}' cannot be started: ${code}`, {
    cause,
  });
}
