import { type Stats, statSync } from 'node:fs';
import { isAbsolute, join, resolve } from 'node:path';
import { NarScanError } from '../model/errors.ts';
import { makeDirectories } from './durable.ts';
import { unsafeAt } from './ownership.ts';

/** The state of the machine: root's own, and for reading everybody's who may. */
export const SYSTEM_STATE = '/var/lib/nar-scan';

const NAME = 'nar-scan';
/** What was refused, and why, is nobody else's business. */
const PRIVATE = 0o700;

/**
 * Where the state of this user lies: what `NAR_SCAN_STATE` says, for root {@link SYSTEM_STATE}, else
 * `nar-scan` below `XDG_STATE_HOME` or `~/.local/state`, the home by HOME or else by the passwd
 * database. Nothing is made or looked at.
 *
 * @throws NarScanError STATE_UNKNOWN
 */
export function stateDirOf(environment: NodeJS.ProcessEnv): string {
  const named = environment['NAR_SCAN_STATE'] ?? '';
  if (named !== '') {
    if (isAbsolute(named)) return resolve(named);
    throw new NarScanError('STATE_UNKNOWN', `NAR_SCAN_STATE: '${named}' is no absolute path`);
  }
  if (process.geteuid?.() === 0) return SYSTEM_STATE;
  const states = environment['XDG_STATE_HOME'] ?? '';
  return isAbsolute(states) ? join(states, NAME) : join(homeOf(environment), '.local', 'state', NAME);
}

/**
 * The state directory for writing; it is made, for this user alone, where it is not there yet.
 * @throws NarScanError STATE_UNKNOWN, STATE_UNSAFE, STATE_NOT_WRITTEN, STATE_UNREADABLE
 */
export function stateDirForWriting(environment: NodeJS.ProcessEnv): string {
  const path = stateDirOf(environment);
  try {
    makeDirectories(path, PRIVATE);
  } catch (error) {
    throw stateNotWritten(path, error);
  }
  if (!isSafe(path)) throw stateNotWritten(path, new Error('it was taken away'));
  return path;
}

/**
 * The state directory for reading, or null where there is none yet.
 * @throws NarScanError STATE_UNKNOWN, STATE_UNSAFE, STATE_UNREADABLE
 */
export function stateDirForReading(environment: NodeJS.ProcessEnv): string | null {
  const path = stateDirOf(environment);
  return isSafe(path) ? path : null;
}

/**
 * The state of the machine, for reading, where it is another than `own`, exists and this user may
 * read it; else null. What is in it is root's word.
 *
 * @throws NarScanError STATE_UNSAFE where others than root can change it, STATE_UNREADABLE
 */
export function systemStateDir(own: string | null, system: string = SYSTEM_STATE): string | null {
  if (own === system) return null;
  const status = openStatus(system);
  if (status === null) return null;
  if (status.uid !== 0) throw unsafe(system, system, `it belongs to user ${status.uid}, not to root`);
  refuseUnsafe(system, status);
  return system;
}

/**
 * An error for state that could not be written, with the system's reason.
 * @param path what was to be written
 */
export function stateNotWritten(path: string, error: unknown): NarScanError {
  if (error instanceof NarScanError) return error;
  return new NarScanError('STATE_NOT_WRITTEN', `'${path}' cannot be written: ${reasonOf(error)}`, {
    cause: error,
  });
}

/**
 * An error for state that could not be read, with the system's reason.
 * @param path what was to be read
 */
export function stateUnreadable(path: string, error: unknown): NarScanError {
  if (error instanceof NarScanError) return error;
  return new NarScanError('STATE_UNREADABLE', `'${path}' cannot be read: ${reasonOf(error)}`, {
    cause: error,
  });
}

/** What says that there is no directory, or none that this user may look into. */
const NONE = ['ENOENT', 'ENOTDIR', 'EACCES'];

/** The status of a directory that this user may look into; null where there is none. */
function openStatus(directory: string): Stats | null {
  try {
    // the dot takes the right to go through the directory, which access(2) would ask for the real user
    return statSync(`${directory}/.`);
  } catch (error) {
    // what root denied there must not be overlooked for a fault
    if (NONE.includes((error as NodeJS.ErrnoException).code ?? '')) return null;
    throw stateUnreadable(directory, error);
  }
}

/** Whether there is such a directory; if so, it is nobody else's to change. */
function isSafe(path: string): boolean {
  let status: Stats | undefined;
  try {
    status = statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    throw stateUnreadable(path, error);
  }
  if (status === undefined) return false;
  if (!status.isDirectory()) throw stateUnreadable(path, new Error('it is no directory'));
  refuseUnsafe(path, status);
  return true;
}

function refuseUnsafe(path: string, status: Stats): void {
  let found: ReturnType<typeof unsafeAt>;
  try {
    found = unsafeAt(path, status);
  } catch (error) {
    throw stateUnreadable(path, error);
  }
  if (found !== null) throw unsafe(path, found.path, found.why);
}

function unsafe(state: string, path: string, why: string): NarScanError {
  const where = path === state ? why : `${why}: '${path}'`;
  return new NarScanError('STATE_UNSAFE', `the state in '${state}' is not used: ${where}`);
}

function homeOf(environment: NodeJS.ProcessEnv): string {
  const home = environment['HOME'] ?? '';
  if (isAbsolute(home)) return home;
  const { userInfo } = process.getBuiltinModule('node:os');
  try {
    const { homedir } = userInfo();
    if (isAbsolute(homedir)) return homedir;
  } catch (error) {
    throw unknown(error);
  }
  throw unknown();
}

function unknown(cause?: unknown): NarScanError {
  const user = process.geteuid?.() ?? 'unknown';
  return new NarScanError(
    'STATE_UNKNOWN',
    `there is no place for the state: HOME is not set, and user ${user} has no home`,
    { cause },
  );
}

/** `ENOSPC: no space left on device`, without the system call and the path that Node adds. */
function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.split(/[\n,]/, 1)[0] ?? '';
}
