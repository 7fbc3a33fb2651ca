import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { NarScanError } from '../../src/model/errors.ts';
import { referencesOf } from '../../src/nix/database.ts';

const path = (name: string): string => `/nix/store/0123456789abcdfghijklmnpqrsvwxyz-${name}`;

let state: string;
let file: string;

beforeEach(() => {
  state = mkdtempSync(join(tmpdir(), 'nar-scan-db-'));
  mkdirSync(join(state, 'db'));
  file = join(state, 'db/db.sqlite');
  writeFileSync(join(state, 'db/schema'), '10');
});

afterEach(() => rmSync(state, { recursive: true, force: true }));

/** A database as Nix makes it: `tool` refers to itself and to `lib`, `lib` to nothing. Still open. */
function made(journal: 'wal' | 'delete'): DatabaseSync {
  const database = new DatabaseSync(file);
  database.exec(`pragma journal_mode = ${journal};
    create table ValidPaths (id integer primary key, path text unique not null);
    create table Refs (referrer integer not null, reference integer not null, primary key (referrer, reference));
    insert into ValidPaths values (1, '${path('tool')}'), (2, '${path('lib')}');
    insert into Refs values (1, 1), (1, 2);`);
  return database;
}

function fault(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (!(error instanceof NarScanError)) throw error;
    expect(error.message).not.toContain('\n');
    return error.code;
  }
  return 'none';
}

const EXPECTED = new Map([
  [path('tool'), [path('tool'), path('lib')]],
  [path('lib'), []],
]);
const read = () => referencesOf(state, [path('tool'), path('lib'), path('unknown')]);

describe('references in the Nix database', () => {
  it.each(['wal', 'delete'] as const)(
    'are those of each path it knows, and nothing is written (%s)',
    (journal) => {
      made(journal).close();
      const before = readdirSync(join(state, 'db'));
      expect(read()).toEqual(EXPECTED);
      expect(readdirSync(join(state, 'db'))).toEqual(before);
    },
  );

  it('are read while Nix has it open and has written to its log only', () => {
    const writer = made('wal');
    writer.exec(`insert into ValidPaths values (3, '${path('unknown')}')`);
    expect(read().get(path('unknown'))).toEqual([]);
    writer.close();
  });

  it('are unknown where there is no Nix', () => {
    expect(referencesOf(join(state, 'none'), [path('tool')])).toEqual(new Map());
  });
});

describe('a Nix database that cannot be understood ends the scan', () => {
  it.each(['9', '11', '', 'ten', '10x'])('of schema %j', (schema) => {
    made('wal').close();
    writeFileSync(join(state, 'db/schema'), schema);
    expect(fault(read)).toBe('NIX_DATABASE_VERSION');
  });

  it('that is locked', () => {
    const writer = made('delete');
    writer.exec('begin exclusive');
    expect(fault(read)).toBe('NIX_DATABASE_LOCKED');
    writer.close();
  });

  it('that is none', () => {
    writeFileSync(file, 'no database at all'.repeat(1000));
    expect(fault(read)).toBe('NIX_DATABASE_UNREADABLE');
  });

  it('that has other tables', () => {
    new DatabaseSync(file).exec('create table Paths (id integer)');
    expect(fault(read)).toBe('NIX_DATABASE_UNREADABLE');
  });

  it('without a schema', () => {
    made('wal').close();
    rmSync(join(state, 'db/schema'));
    expect(fault(read)).toBe('NIX_DATABASE_UNREADABLE');
  });

  it.skipIf(process.getuid?.() === 0)('that may not be read', () => {
    made('wal').close();
    chmodSync(file, 0);
    expect(fault(read)).toBe('NIX_DATABASE_UNREADABLE');
  });
});
