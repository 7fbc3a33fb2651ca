import { statSync } from 'node:fs';
import { join } from 'node:path';
import { NarScanError } from '../model/errors.ts';
import type { FactMemory, RunConditions } from '../scan/memory.ts';
import { contextsOf } from './context.ts';
import { decoderVersions, engineVersion } from './engine.ts';
import type { Ledger } from './ledger.ts';
import { LedgerMemory } from './memory.ts';
import { ReadOnlyLedger } from './sqlite/readOnlyLedger.ts';
import { SqliteLedger } from './sqlite/sqliteLedger.ts';
import { stateDirForReading, stateDirForWriting, stateDirOf, systemStateDir } from './stateDir.ts';

/** The database of the ledger in a state directory. */
const FILE = 'ledger.sqlite';
const OTHERS_WRITE = 0o022;

/** Told of what makes known things unknown; nothing worse comes of it. */
type Warn = (error: NarScanError) => void;

/**
 * Opens what this user remembers, and what the system does. A ledger that cannot be used is told and
 * left out: then more is scanned.
 *
 * @param environment says where the state lies
 * @param tell told once of each kind of fault
 * @param endsProcess the process ends soon after it is closed
 */
export function openMemory(
  environment: NodeJS.ProcessEnv,
  conditions: RunConditions,
  tell: Warn,
  endsProcess = false,
): FactMemory {
  const warn = once(tell);
  const writer = attempt(warn, () => openLedger(environment, warn, endsProcess));
  const own = writer ?? attempt(warn, () => openOwnReadOnly(environment, warn));
  const system = attempt(warn, () => openSystem(environment, warn));
  const version = engineVersion();
  return new LedgerMemory({
    readers: [system, own].filter((ledger) => ledger !== null),
    writer,
    contextOf: contextsOf([version, ...decoderVersions()], conditions),
    version,
    warn,
  });
}

/**
 * The ledger of this user, for writing, made where it is not there yet.
 * @param warn told once of each kind of fault that makes known things unknown
 * @param endsProcess the process ends soon after it is closed
 * @throws NarScanError STATE_*, LEDGER_*
 */
export function openLedger(environment: NodeJS.ProcessEnv, warn: Warn, endsProcess = false): Ledger {
  return new SqliteLedger(join(stateDirForWriting(environment), FILE), warn, endsProcess);
}

/**
 * The ledger of this user, for reading; null where there is none.
 * @throws NarScanError STATE_*, LEDGER_*
 */
export function openOwnReadOnly(environment: NodeJS.ProcessEnv, warn: Warn): Ledger | null {
  const stateDir = stateDirForReading(environment);
  const file = stateDir === null ? null : join(stateDir, FILE);
  if (file === null || statSync(file, { throwIfNoEntry: false }) === undefined) return null;
  return new ReadOnlyLedger(file, warn);
}

/** The ledger of the machine, where there is one that this user may read and nobody but root may write. */
function openSystem(environment: NodeJS.ProcessEnv, warn: Warn): Ledger | null {
  const stateDir = systemStateDir(stateDirOf(environment));
  const file = stateDir === null ? null : join(stateDir, FILE);
  const status = file === null ? undefined : statSync(file, { throwIfNoEntry: false });
  if (file === null || status === undefined) return null;
  if (status.uid !== 0 || (status.mode & OTHERS_WRITE) !== 0) {
    throw new NarScanError(
      'STATE_UNSAFE',
      `the ledger '${file}' is not used: others than root may write to it`,
    );
  }
  return new ReadOnlyLedger(file, warn);
}

function once(tell: Warn): Warn {
  const told = new Set<string>();
  return (error) => {
    if (told.has(error.code)) return;
    told.add(error.code);
    tell(error);
  };
}

function attempt<T>(warn: Warn, act: () => T): T | null {
  try {
    return act();
  } catch (error) {
    if (!(error instanceof NarScanError)) throw error;
    warn(error);
    return null;
  }
}
