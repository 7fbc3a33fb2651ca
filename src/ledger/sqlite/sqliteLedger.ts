import type { OutputFacts } from '../../model/facts.ts';
import type { NarScanError } from '../../model/errors.ts';
import type { FactsKey, KnownPath, Ledger, ScanRecord, TrailHead } from '../ledger.ts';
import { ledgerFault, saysDamaged } from './fault.ts';
import { LedgerFile } from './ledgerFile.ts';
import { LedgerTables } from './tables.ts';

/** How long records wait for others, which are then written together. */
const GATHER_MS = 100;
/** Records that are written at once. */
const BATCH = 256;

interface Waiting {
  readonly record: ScanRecord;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * The ledger in one SQLite database, for any number of processes at once. A damaged file is set
 * aside whenever that shows, and a new one begins: what was in it is not known.
 */
export class SqliteLedger implements Ledger {
  readonly #file: LedgerFile;
  readonly #warn: (error: NarScanError) => void;
  readonly #told = new Set<string>();
  #tables: LedgerTables | null;
  readonly #waiting: Waiting[] = [];
  #timer: NodeJS.Timeout | null = null;

  /**
   * @param path of the database, in a directory that this user may write to
   * @param warn told once of each kind of fault that makes known things unknown
   * @param endsProcess the process ends soon after it is closed
   * @throws NarScanError LEDGER_VERSION, LEDGER_UNREADABLE, LEDGER_DAMAGED
   */
  constructor(path: string, warn: (error: NarScanError) => void, endsProcess = false) {
    this.#warn = warn;
    this.#file = new LedgerFile(path, (error) => this.#tell(error), endsProcess);
    this.#tables = new LedgerTables(this.#file.database);
  }

  narHashes(paths: readonly Omit<KnownPath, 'narHash'>[]): Promise<ReadonlyMap<string, string>> {
    return Promise.resolve(this.#read((tables) => tables.narHashes(paths), new Map<string, string>()));
  }

  facts(keys: readonly FactsKey[]): Promise<ReadonlyMap<FactsKey, OutputFacts>> {
    return Promise.resolve(this.#read((tables) => tables.facts(keys), new Map<FactsKey, OutputFacts>()));
  }

  /**
   * Records that come one after another are written together, some milliseconds later.
   * @throws NarScanError LEDGER_NOT_WRITTEN
   */
  remember(record: ScanRecord): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ record, resolve, reject });
      if (this.#waiting.length >= BATCH) this.#flush();
      else this.#timer ??= setTimeout(() => this.#flush(), GATHER_MS);
    });
  }

  history(storePath: string): Promise<readonly Omit<ScanRecord, 'facts'>[]> {
    return Promise.resolve(this.#read((tables) => tables.history(storePath), []));
  }

  trailHead(): Promise<TrailHead | null> {
    return Promise.resolve(this.#read((tables) => tables.trailHead(), null));
  }

  /** @throws NarScanError LEDGER_NOT_WRITTEN */
  sawTrailHead(head: TrailHead): Promise<void> {
    return new Promise((resolve) => {
      this.#write((tables) => tables.sawTrailHead(head));
      resolve();
    });
  }

  close(): Promise<void> {
    this.#flush();
    this.#tables = null;
    this.#file.end();
    return Promise.resolve();
  }

  #flush(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const waiting = this.#waiting.splice(0);
    if (waiting.length === 0) return;
    try {
      this.#write((tables) => tables.remember(waiting.map(({ record }) => record)));
      for (const { resolve } of waiting) resolve();
    } catch (error) {
      for (const { reject } of waiting) reject(error);
    }
  }

  /** What cannot be read is not known. */
  #read<T>(act: (tables: LedgerTables) => T, unknown: NoInfer<T>): T {
    if (this.#tables === null) return unknown;
    try {
      return act(this.#tables);
    } catch (error) {
      if (saysDamaged(error)) this.#replace();
      else
        this.#tell(ledgerFault('LEDGER_UNREADABLE', `the ledger '${this.#file.path}' cannot be read`, error));
      return unknown;
    }
  }

  #write(act: (tables: LedgerTables) => void): void {
    try {
      act(this.#open());
    } catch (error) {
      if (!saysDamaged(error)) throw this.#notWritten(error);
      this.#replace();
      // once more, to the new file
      try {
        act(this.#open());
      } catch (again) {
        throw this.#notWritten(again);
      }
    }
  }

  #open(): LedgerTables {
    if (this.#tables === null) throw new Error('it is closed');
    return this.#tables;
  }

  #notWritten(error: unknown): NarScanError {
    return ledgerFault('LEDGER_NOT_WRITTEN', `the ledger '${this.#file.path}' cannot be written`, error);
  }

  /** Goes on with a new file, or with none. */
  #replace(): void {
    this.#tables = null;
    try {
      const setAside = this.#file.replace();
      this.#tables = new LedgerTables(this.#file.database);
      this.#tell(setAside);
    } catch (error) {
      this.#tell(ledgerFault('LEDGER_DAMAGED', `the ledger '${this.#file.path}' is damaged`, error));
    }
  }

  #tell(error: NarScanError): void {
    if (this.#told.has(error.code)) return;
    this.#told.add(error.code);
    this.#warn(error);
  }
}
