import { spawn } from 'node:child_process';
import { appendFileSync, readFileSync, statSync, truncateSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { LIMITS } from '../../model/limits.ts';
import { JOB_SCHEMA, type NotifyJob } from './job.ts';

/*
 * A process of its own: tells of events and ends, whatever happens. What could not be delivered is
 * logged by number and reason; URLs may hold secrets, and are not.
 */

const ATTEMPTS = 4;
const FIRST_PAUSE_MILLISECONDS = 1000;
const LOG_BYTES = 1 << 20;
/** Answers for which another attempt may help, besides those of a server at fault. */
const LATER = [408, 425, 429];

type Event = NotifyJob['events'][number];

async function deliver({ url, command, events, log }: NotifyJob): Promise<void> {
  for (const event of events) {
    const [program, ...args] = command;
    const told: Promise<void>[] = [];
    if (url !== null) told.push(noted(post(url, event), 'url', event, log));
    if (program !== undefined) told.push(noted(run(program, args, event), 'command', event, log));
    await Promise.all(told);
  }
}

async function noted(told: Promise<string | null>, to: string, { seq }: Event, log: string): Promise<void> {
  const fault = await told;
  if (fault === null) return;
  note(log, to, seq, fault);
}

function note(log: string, to: string, seq: number, fault: string): void {
  if ((statSync(log, { throwIfNoEntry: false })?.size ?? 0) > LOG_BYTES) truncateSync(log);
  const line = JSON.stringify({ at: new Date().toISOString(), seq, to, fault });
  appendFileSync(log, `${line}\n`, { mode: 0o600 });
}

/** @returns why it could not be told, or null */
async function post(text: string, event: Event): Promise<string | null> {
  let fault = '';
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    if (attempt > 0) await pause(FIRST_PAUSE_MILLISECONDS * 2 ** (attempt - 1));
    try {
      const response = await fetch(...requestOf(text, event));
      await response.body?.cancel();
      if (response.ok) return null;
      fault = `HTTP ${response.status}`;
      if (response.status < 500 && !LATER.includes(response.status)) return fault;
    } catch (error) {
      fault = reasonOf(error);
    }
  }
  return fault;
}

/** `fetch` takes no URL with a user in it. */
function requestOf(text: string, event: Event): [URL, RequestInit] {
  const url = new URL(text);
  const user = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  url.username = '';
  url.password = '';
  const authorization =
    user === ':' ? undefined : { authorization: `Basic ${Buffer.from(user).toString('base64')}` };
  return [
    url,
    {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'user-agent': 'nar-scan', ...authorization },
      body: JSON.stringify(event),
      redirect: 'error',
      signal: AbortSignal.timeout(LIMITS.notifyAttemptMilliseconds),
    },
  ];
}

/** The system's code, or what kind of error it was: messages may hold the URL. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'no reason given';
  const { cause } = error;
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  return typeof code === 'string' ? code : error.name;
}

/** @returns why it could not be told, or null */
function run(program: string, args: readonly string[], event: Event): Promise<string | null> {
  return new Promise((resolve) => {
    const child = spawn(program, args, { detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
    const end = setTimeout(() => {
      // with all that it has started
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    }, LIMITS.notifyAttemptMilliseconds);
    const done = (fault: string | null): void => {
      clearTimeout(end);
      resolve(fault);
    };
    child.on('error', (error) => done((error as NodeJS.ErrnoException).code ?? error.name));
    child.on('exit', (status, signal) => done(status === 0 ? null : `status ${status ?? signal}`));
    // one that does not want to read is told all the same
    child.stdin.on('error', () => undefined);
    child.stdin.end(`${JSON.stringify(event)}\n`);
  });
}

const STDIN = 0;
const job = JOB_SCHEMA.parse(JSON.parse(readFileSync(STDIN, 'utf8')));
setTimeout(() => {
  note(
    job.log,
    'all',
    job.events.at(-1)?.seq ?? 0,
    'it took too long: what was not told by then is not told',
  );
  process.exit(1);
}, LIMITS.notifyMilliseconds).unref();
deliver(job).catch(() => process.exit(1));
