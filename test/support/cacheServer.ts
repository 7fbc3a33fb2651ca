import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { logLines, refuseUndocumented } from './documentedAnswers.ts';
import { NAR_SCAN } from './narScan.ts';

interface CacheServerOptions {
  /** The logical store dir that it serves. */
  readonly storeDir: string;
  /** Where everything of it lies; it is kept then. A new folder that goes with the server where it is left out. */
  readonly folder?: string;
  /** Other than a directory in its folder. */
  readonly storage?: string;
  /** Where nothing is said of access, everybody may do everything. */
  readonly args?: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  /** Bytes that a file of its may have. */
  readonly limit?: number;
}

/** What a program said and how it ended. */
export interface ProgramRun {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The built server, on a free port of this machine, with a state of its own. Dispose of it to leave nothing behind. */
export class CacheServer implements AsyncDisposable {
  readonly folder: string;
  /** `http://127.0.0.1:40123` */
  readonly url: string;
  readonly child: ChildProcess;
  /** What it has logged. */
  readonly log: () => string;
  readonly #isKept: boolean;

  private constructor(folder: string, url: string, child: ChildProcess, log: () => string, isKept: boolean) {
    this.folder = folder;
    this.url = url;
    this.child = child;
    this.log = log;
    this.#isKept = isKept;
  }

  static async start({
    storeDir,
    folder,
    storage,
    args = [],
    env = {},
    limit,
  }: CacheServerOptions): Promise<CacheServer> {
    const place = folder ?? mkdtempSync(join(tmpdir(), 'nar-scan-server-'));
    const directory = join(place, 'storage');
    mkdirSync(directory, { recursive: true });
    const access = args.some((arg) => arg.startsWith('--tokens')) ? [] : ['--no-auth'];
    const words = [
      'serve',
      '--listen=127.0.0.1:0',
      `--state=${join(place, 'state')}`,
      `--store-dir=${storeDir}`,
      `--storage=${storage ?? `file://${directory}`}`,
      '--no-host-homes',
      ...access,
      ...args,
    ];
    const limited = limit === undefined ? [] : ['prlimit', `--fsize=${limit}`];
    const [program = '', ...rest] = [...limited, NAR_SCAN, ...words];
    const child = spawn(program, rest, {
      env: { PATH: process.env['PATH'], ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let log = '';
    child.stderr.on('data', (piece: Buffer) => void (log += piece.toString()));
    const exited = once(child, 'exit').then(() => null);
    const first = (await Promise.race([once(child.stdout, 'data'), exited])) as [Buffer] | null;
    const url = /listens on (\S+)/.exec(first?.[0].toString() ?? '')?.[1];
    if (url === undefined) throw new Error(`the server did not start: ${log}`);
    return new CacheServer(place, url, child, () => log, folder !== undefined);
  }

  /** Its state directory. */
  get state(): string {
    return join(this.folder, 'state');
  }

  /** Where it keeps what it serves. */
  get storage(): string {
    return join(this.folder, 'storage');
  }

  /** Ends it and waits for its end. @returns its exit status; null where a signal ended it */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return this.child.exitCode;
    const exited = once(this.child, 'exit');
    this.child.kill(signal);
    const [status] = (await exited) as [number | null];
    return status;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop('SIGKILL');
    if (!this.#isKept) rmSync(this.folder, { recursive: true, force: true });
    refuseUndocumented(logLines(this.log()));
  }
}

/** Runs a program without blocking this process, which may serve it. */
async function runProgram(
  program: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<ProgramRun> {
  return await new Promise((resolve) => {
    execFile(
      program,
      args,
      { env, timeout: 120_000, maxBuffer: 64 * 1024 * 1024 },
      (error, stdout, stderr) => {
        const status = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
        resolve({ status, stdout, stderr });
      },
    );
  });
}

/**
 * Runs the real nix as a client that remembers nothing of the answers it had before.
 * @param environment as of a store of `realNix.ts`
 */
export async function nixClient(
  environment: NodeJS.ProcessEnv,
  ...args: readonly string[]
): Promise<ProgramRun> {
  const cache = mkdtempSync(join(tmpdir(), 'nar-scan-client-'));
  try {
    return await runProgram('nix', args, { ...environment, XDG_CACHE_HOME: cache });
  } finally {
    rmSync(cache, { recursive: true, force: true });
  }
}
