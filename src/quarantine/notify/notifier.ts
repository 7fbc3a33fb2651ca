import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, openSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { GateSettings } from '../../policy/gate.ts';
import type { Notify } from '../audit.ts';
import type { NotifyJob } from './job.ts';

/** File of the state directory that takes what could not be delivered. */
const LOG = 'notify.log';

/** Where programs lie if PATH does not say so: Nix runs hooks with hardly any. */
const PLACES = '/run/current-system/sw/bin:/usr/local/bin:/usr/bin:/bin';

/** All that a told program needs; what else is there may be secret, such as NIX_CONFIG. */
const PASSED = ['HOME', 'LANG', 'LC_ALL', 'TZ', 'SSL_CERT_FILE', 'NODE_EXTRA_CA_CERTS', 'NAR_SCAN_STATE'];

/**
 * Tells whoever the settings name of events, from a process of its own that outlives this one and ends
 * by itself. Whatever goes wrong there changes nothing here.
 *
 * @param state the state directory, which takes a log of what could not be delivered
 * @returns undefined where nobody is to be told
 */
export function notifierOf(
  { url, command }: GateSettings['notify'],
  state: string,
  environment: NodeJS.ProcessEnv,
): Notify | undefined {
  if (url === null && command.length === 0) return undefined;
  return (records) => {
    const events = records.map((record) => ({ schema: 'nar-scan/event-v1', ...record }));
    try {
      start({ url, command: [...command], events, log: join(state, LOG) }, state, environment);
    } catch {
      // the record is in the trail, and that is what counts
      return;
    }
  };
}

function start(job: NotifyJob, state: string, environment: NodeJS.ProcessEnv): void {
  const input = heldText(JSON.stringify(job), state);
  try {
    const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'cjs';
    const deliver = fileURLToPath(new URL(`./deliver.${extension}`, import.meta.url));
    const child = spawn(process.execPath, [deliver], {
      cwd: '/',
      detached: true,
      env: environmentOf(environment),
      stdio: [input, 'ignore', 'ignore'],
    });
    child.on('error', () => undefined);
    child.unref();
  } finally {
    closeSync(input);
  }
}

/**
 * A file without a name that holds a text, open for reading from its beginning: what is in a
 * process's arguments everybody may read, and a pipe is empty when its writer has ended.
 */
function heldText(text: string, directory: string): number {
  const path = join(directory, `.notify-${randomBytes(8).toString('hex')}`);
  try {
    writeFileSync(path, text, { flag: 'wx', mode: 0o600 });
    return openSync(path, 'r');
  } finally {
    unlinkSync(path);
  }
}

function environmentOf(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const passed = PASSED.flatMap((name) => {
    const value = environment[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  const path = [environment['PATH'] ?? '', PLACES].filter((part) => part !== '').join(':');
  return { ...Object.fromEntries(passed), PATH: path };
}
