import { randomBytes } from 'node:crypto';
import { mkdirSync, renameSync, readdirSync, rmSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { directorySynced } from '../../ledger/durable.ts';
import { tryLock, waitForLock } from '../../ledger/lock.ts';
import { stateNotWritten } from '../../ledger/stateDir.ts';
import { NarScanError } from '../../model/errors.ts';
import type { Digest } from '../../report/ids.ts';
import { type Refused, writeFindings } from './bundle.ts';
import type { NarSource } from './narFile.ts';
import { asideName, leftovers, NAR_FILE, quarantineDir, quarantineLock } from './place.ts';

const PRIVATE = 0o700;

/** An output that was written aside, and what of it came about. Disposing of it leaves nothing behind. */
export class Staged implements Disposable {
  readonly #directory: string;
  readonly #aside: string;
  #alive: Disposable | null = null;
  #kept: number | null = null;
  #refusal: NarScanError | null = null;

  private constructor(state: string, id: string) {
    this.#directory = quarantineDir(state);
    this.#aside = join(this.#directory, asideName(id, randomBytes(8).toString('hex')));
  }

  /**
   * Writes what was found in an output aside, and its NAR if there is room for it.
   * @param most how many bytes the packed NAR may have; null: it is not to be kept
   */
  static async write(
    state: string,
    id: string,
    refused: Refused,
    most: () => Promise<number | null>,
    digest: Digest,
  ): Promise<Staged> {
    const staged = new Staged(state, id);
    try {
      makeDirectory(staged.#directory);
      sweep(state);
      // shared by all writers: while one of them lives nothing is swept
      staged.#alive = await waitForLock(quarantineLock(state), 'shared');
      mkdirSync(staged.#aside, { mode: PRIVATE });
      await writeFindings(staged.#aside, id, refused, digest);
      const bytes = await most();
      if (bytes !== null && refused.nar !== null) await staged.#writeNar(refused.nar, refused, bytes);
      await directorySynced(staged.#aside);
    } catch (error) {
      // half of it is nothing: then only the trail has it
      rmSync(staged.#aside, { recursive: true, force: true });
      staged.#kept = null;
      staged.#refusal = stateNotWritten(staged.#aside, error);
    }
    return staged;
  }

  /** Where it lies. */
  get path(): string {
    return this.#aside;
  }

  /** Bytes of the NAR on disk; null where there is none. */
  get kept(): number | null {
    return this.#kept;
  }

  /** Why there is no NAR, or nothing at all, although it was to be. */
  get refusal(): NarScanError | null {
    return this.#refusal;
  }

  /** Takes the NAR away again. @param refusal why */
  dropNar(refusal: NarScanError | null = this.#refusal): void {
    rmSync(join(this.#aside, NAR_FILE), { force: true });
    this.#kept = null;
    this.#refusal = refusal;
  }

  /**
   * Puts what was written in the place of the output with this id, as a whole; where there is one
   * already, file by file.
   * @throws the system's error
   */
  async place(id: string): Promise<void> {
    if (!existsSync(this.#aside)) return;
    const place = join(this.#directory, id);
    if (existsSync(place)) {
      for (const file of readdirSync(this.#aside)) renameSync(join(this.#aside, file), join(place, file));
      await directorySynced(place);
    } else {
      renameSync(this.#aside, place);
    }
    await directorySynced(this.#directory);
  }

  [Symbol.dispose](): void {
    try {
      rmSync(this.#aside, { recursive: true, force: true });
    } finally {
      this.#alive?.[Symbol.dispose]();
    }
  }

  async #writeNar(nar: NarSource, { storePath, facts }: Refused, most: number): Promise<void> {
    const file = join(this.#aside, NAR_FILE);
    if (facts.narHash === null) {
      this.#refusal = new NarScanError('QUARANTINE_NOT_KEPT', `${storePath} has no NAR that was scanned`);
      return;
    }
    try {
      const { narHash, fileSize } = await nar.write(file, most);
      this.#kept = fileSize;
      if (narHash === facts.narHash) return;
      this.dropNar(
        new NarScanError(
          'QUARANTINE_NOT_KEPT',
          `${storePath} is not what was scanned: its NarHash is ${narHash}`,
        ),
      );
    } catch (error) {
      this.dropNar(refusalOf(storePath, error));
    }
  }
}

/** Makes a directory where there is none; not those above it, which are gone for a reason. */
function makeDirectory(path: string): void {
  try {
    mkdirSync(path, { mode: PRIVATE });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

function refusalOf(storePath: string, error: unknown): NarScanError {
  if (error instanceof NarScanError && error.code === 'QUARANTINE_FULL') return error;
  const { message } = stateNotWritten(storePath, error);
  return new NarScanError('QUARANTINE_NOT_KEPT', `${storePath} is not kept: ${message}`, { cause: error });
}

/** Takes away what writers left who died, if no writer lives. */
function sweep(state: string): void {
  const directory = quarantineDir(state);
  const left = leftovers(directory);
  if (left.length === 0) return;
  const alone = tryLock(quarantineLock(state), 'alone');
  if (alone === null) return;
  try {
    for (const name of left) rmSync(join(directory, name), { recursive: true, force: true });
  } finally {
    alone[Symbol.dispose]();
  }
}
