import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { NarScanError } from '../model/errors.ts';
import { LIMITS } from '../model/limits.ts';
import { CopyLog, type CopyWatcher } from './copyLog.ts';

/** How long Nix may take to end after it was told to, and whoever else holds its output after it ended. */
const GRACE_MS = 5000;

/** A run of the `nix` program. */
export interface NixRun {
  readonly args: readonly string[];
  readonly environment: NodeJS.ProcessEnv;
  /** Gets each line that Nix writes to stderr, but empty ones and the error that is thrown. */
  readonly said: (line: string) => void;
  /** Ends Nix. */
  readonly signal: AbortSignal;
  /** Who wants to know how far it is with each path: then Nix is asked for a log that tells. */
  readonly copied?: CopyWatcher | undefined;
}

/**
 * Runs `nix` with the command line of its new commands switched on, and gives what it wrote to stdout.
 *
 * @throws NarScanError NIX_MISSING; NIX_FAILED with Nix's own error; what the signal was aborted with
 */
export async function runNix({ args, environment, said, signal, copied }: NixRun): Promise<string> {
  const log = copied === undefined ? null : new CopyLog(copied);
  // before the others: who passes a format of his own on gets that
  const format = log === null ? [] : ['--log-format', 'internal-json'];
  const all = ['--extra-experimental-features', 'nix-command', ...format, ...args];
  const nix = spawn('nix', all, { env: environment, stdio: ['ignore', 'pipe', 'pipe'] });
  const kill = (): void => {
    nix.kill('SIGTERM');
    setTimeout(() => nix.kill('SIGKILL'), GRACE_MS).unref();
  };
  if (signal.aborted) kill();
  signal.addEventListener('abort', kill, { once: true });
  const printed: Buffer[] = [];
  let size = 0;
  let failure = '';
  let held: string | null = null;
  const hear = (text: string): void => {
    // Nix sets paragraphs apart, and ssh ends its lines as for a terminal
    const line = text.trimEnd();
    if (line === '') return;
    // where Nix says what led to an error, the error itself is the last of them
    const isError = /^\s*error: ./.test(line);
    if (failure === '' || isError) failure = line.trimStart();
    if (isError && held !== null) said(held);
    if (isError) held = line;
    else said(line);
  };
  const lines = new Lines((line) => (log?.read(line) ?? [line]).forEach(hear));
  nix.stderr.on('data', (bytes: Buffer) => lines.take(bytes));
  nix.stdout.on('data', (bytes: Buffer) => {
    size += bytes.length;
    if (size <= LIMITS.nixAnswerBytes) printed.push(bytes);
    else kill();
  });
  try {
    const { status, cause } = await ended(nix);
    lines.end();
    signal.throwIfAborted();
    const what = `nix ${args[0] ?? ''}`;
    if (cause !== null) throw new NarScanError('NIX_MISSING', `${what} cannot be started: ${cause}`);
    if (size > LIMITS.nixAnswerBytes) throw new NarScanError('NIX_FAILED', `${what} printed ${size} bytes`);
    if (status === 'status 0') {
      if (held !== null) said(held);
    } else {
      throw new NarScanError('NIX_FAILED', `${what} ended with ${status}${failure && `: ${failure}`}`);
    }
    return Buffer.concat(printed).toString();
  } finally {
    signal.removeEventListener('abort', kill);
  }
}

/** Looks for `nix` where {@link runNix} will. @throws NarScanError NIX_MISSING */
export function findNix(environment: NodeJS.ProcessEnv): void {
  const found = (environment['PATH'] ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, 'nix'), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
  if (!found) throw new NarScanError('NIX_MISSING', "there is no program 'nix' on PATH");
}

function ended(
  nix: ReturnType<typeof spawn>,
): Promise<{ readonly status: string; readonly cause: string | null }> {
  return new Promise((resolve) => {
    nix.once('error', (error) => resolve({ status: '', cause: error.message }));
    nix.once('exit', () =>
      setTimeout(() => [nix.stdout, nix.stderr].map((pipe) => pipe?.destroy()), GRACE_MS).unref(),
    );
    nix.once('close', (code, killer) => {
      resolve({ status: code === null ? (killer ?? '') : `status ${code}`, cause: null });
    });
  });
}

/** Cuts bytes into lines; one that is too long is cut, too. */
class Lines {
  readonly #tell: (line: string) => void;
  #rest = '';

  constructor(tell: (line: string) => void) {
    this.#tell = tell;
  }

  take(bytes: Buffer): void {
    const lines = (this.#rest + bytes.toString('latin1')).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) this.#give(line);
    if (this.#rest.length > LIMITS.nixLineBytes) this.end();
  }

  end(): void {
    if (this.#rest !== '') this.#give(this.#rest);
    this.#rest = '';
  }

  #give(line: string): void {
    this.#tell(Buffer.from(line.slice(0, LIMITS.nixLineBytes), 'latin1').toString());
  }
}
