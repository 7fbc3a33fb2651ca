import { setTimeout as pause } from 'node:timers/promises';
import { clock } from '../model/clock.ts';
import { NarScanError } from '../model/errors.ts';
import { LIMITS } from '../model/limits.ts';
import { sqlite } from '../nix/sqlite.ts';
import { stateNotWritten } from './stateDir.ts';

/**
 * How much a process takes: `shared` with other shared ones and with one `single`; `single` with
 * shared ones; `alone` with nobody.
 */
type Hold = 'shared' | 'single' | 'alone';

/** SQLite's own locks; the file stays empty. */
const TAKEN_BY: Readonly<Record<Hold, string>> = {
  shared: 'begin; select count(*) from sqlite_schema',
  single: 'begin immediate',
  alone: 'begin exclusive',
};

/** SQLite's code for a lock that another has. */
export const BUSY = 5;
/** Longest pause before a lock is tried again. */
const PAUSE_MILLISECONDS = 15;

/**
 * Takes a lock between processes that the system gives free when its holder dies, however it does.
 * Held until it is disposed of. Nothing else goes on in this thread while it waits for others.
 *
 * @param file made where it is not there yet
 * @param milliseconds how long it waits
 * @throws the error of SQLite
 */
export function holdLock(file: string, hold: Hold, milliseconds: number): Disposable {
  const database = new (sqlite().DatabaseSync)(file, { timeout: milliseconds });
  try {
    // no journal on disk: a lock can be had where there is no room, and a crash leaves nothing
    database.exec(`pragma journal_mode = memory; ${TAKEN_BY[hold]}`);
  } catch (error) {
    database.close();
    throw error;
  }
  return { [Symbol.dispose]: () => database.close() };
}

/**
 * As {@link holdLock}, but null where another holds it now.
 * @throws NarScanError STATE_NOT_WRITTEN
 */
export function tryLock(file: string, hold: Hold): Disposable | null {
  try {
    return holdLock(file, hold, 0);
  } catch (error) {
    if ((error as { errcode?: unknown }).errcode === BUSY) return null;
    throw stateNotWritten(file, error);
  }
}

/**
 * As {@link tryLock}, but waits for other holders.
 * @throws NarScanError STATE_NOT_WRITTEN, STATE_LOCKED when it was not free in time
 */
export async function waitForLock(
  file: string,
  hold: Hold,
  milliseconds: number = LIMITS.lockMilliseconds,
): Promise<Disposable> {
  const end = clock() + milliseconds;
  for (;;) {
    const taken = tryLock(file, hold);
    if (taken !== null) return taken;
    if (clock() > end) {
      throw new NarScanError('STATE_LOCKED', `another nar-scan holds '${file}'`);
    }
    await pause(1 + Math.random() * PAUSE_MILLISECONDS);
  }
}

/** Does something as the `single` holder of a lock. @throws what `act` throws, and as {@link waitForLock} */
export async function asSingle<T>(file: string, act: () => T | Promise<T>): Promise<T> {
  const held = await waitForLock(file, 'single');
  try {
    return await act();
  } finally {
    held[Symbol.dispose]();
  }
}
