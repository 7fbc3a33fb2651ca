import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { narHashText } from '../../src/nix/narHash.ts';
import { TreeNar } from '../../src/sources/treeNar.ts';

const HASH = '0123456789abcdfghijklmnpqrsvwxyz';

/** A store with a Nix database beside it, made without Nix. Dispose of it to leave nothing behind. */
export class MadeStore implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'nar-scan-store-'));
  readonly storeDir = join(this.folder, 'store');
  readonly #database: DatabaseSync;

  constructor() {
    const state = join(this.folder, 'var/nix/db');
    mkdirSync(state, { recursive: true });
    mkdirSync(this.storeDir);
    writeFileSync(join(state, 'schema'), '10');
    this.#database = new DatabaseSync(join(state, 'db.sqlite'));
    this.#database
      .exec(`create table ValidPaths (id integer primary key, path text unique not null, hash text not null,
        registrationTime integer not null, deriver text, narSize integer, ultimate integer, sigs text, ca text);
      create table Refs (referrer integer not null, reference integer not null, primary key (referrer, reference));`);
  }

  /** The name of the store path with this number. */
  path(number: number): string {
    return join(this.storeDir, `${String(number).padStart(4, '0')}${HASH.slice(4)}-x`);
  }

  /** Makes the store path with this number of these files, and registers it. */
  add(number: number, files: Readonly<Record<string, string>>, references: readonly number[] = []): string {
    const path = this.path(number);
    for (const [name, content] of Object.entries(files)) {
      mkdirSync(dirname(join(path, name)), { recursive: true });
      writeFileSync(join(path, name), content);
    }
    this.#database
      .prepare('insert into ValidPaths (id, path, hash, registrationTime, narSize) values (?, ?, ?, 1, 1)')
      .run(number, path, narHashOf(path));
    const refer = this.#database.prepare('insert into Refs values (?, ?)');
    for (const reference of references) refer.run(number, reference);
    return path;
  }

  [Symbol.dispose](): void {
    this.#database.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function narHashOf(path: string): string {
  using source = new TreeNar(path);
  const hash = createHash('sha256');
  const chunk = Buffer.alloc(65_536);
  for (let count; (count = source.read(chunk, 0, chunk.length)) > 0;) hash.update(chunk.subarray(0, count));
  return narHashText(hash.digest());
}
