import type { DatabaseSync } from 'node:sqlite';
import type { NarScanError } from '../../model/errors.ts';
import type { OutputFacts } from '../../model/facts.ts';
import type { FactsKey, KnownPath, Ledger, ScanRecord, TrailHead } from '../ledger.ts';
import { ledgerFault } from './fault.ts';
import { openReadOnly } from './ledgerFile.ts';
import { LedgerTables } from './tables.ts';

/** A ledger that another process keeps, or that cannot be written; nothing of it is changed. */
export class ReadOnlyLedger implements Ledger {
  readonly #path: string;
  readonly #warn: (error: NarScanError) => void;
  readonly #database: DatabaseSync;
  readonly #tables: LedgerTables;

  /**
   * @param warn told of each fault that makes known things unknown
   * @throws NarScanError LEDGER_VERSION, LEDGER_UNREADABLE
   */
  constructor(path: string, warn: (error: NarScanError) => void) {
    this.#path = path;
    this.#warn = warn;
    try {
      this.#database = openReadOnly(path);
    } catch (error) {
      throw ledgerFault('LEDGER_UNREADABLE', `the ledger '${path}' cannot be read`, error);
    }
    this.#tables = new LedgerTables(this.#database);
  }

  narHashes(paths: readonly Omit<KnownPath, 'narHash'>[]): Promise<ReadonlyMap<string, string>> {
    return this.#read((tables) => tables.narHashes(paths), new Map<string, string>());
  }

  facts(keys: readonly FactsKey[]): Promise<ReadonlyMap<FactsKey, OutputFacts>> {
    return this.#read((tables) => tables.facts(keys), new Map<FactsKey, OutputFacts>());
  }

  history(storePath: string): Promise<readonly Omit<ScanRecord, 'facts'>[]> {
    return this.#read((tables) => tables.history(storePath), []);
  }

  trailHead(): Promise<TrailHead | null> {
    return this.#read((tables) => tables.trailHead(), null);
  }

  /** @throws NarScanError LEDGER_NOT_WRITTEN always */
  remember(): Promise<void> {
    return Promise.reject(this.#notWritten());
  }

  /** @throws NarScanError LEDGER_NOT_WRITTEN always */
  sawTrailHead(): Promise<void> {
    return Promise.reject(this.#notWritten());
  }

  close(): Promise<void> {
    this.#database.close();
    return Promise.resolve();
  }

  #read<T>(act: (tables: LedgerTables) => T, unknown: NoInfer<T>): Promise<T> {
    try {
      return Promise.resolve(act(this.#tables));
    } catch (error) {
      this.#warn(ledgerFault('LEDGER_UNREADABLE', `the ledger '${this.#path}' cannot be read`, error));
      return Promise.resolve(unknown);
    }
  }

  #notWritten(): NarScanError {
    return ledgerFault(
      'LEDGER_NOT_WRITTEN',
      `the ledger '${this.#path}'`,
      new Error('is open for reading only'),
    );
  }
}
