import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { NarScanError } from '../../src/model/errors.ts';
import { NixDatabase, pathInfosOf, type PathInfo } from '../../src/nix/database.ts';

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

const HEX = '10551daed7fa467d0b58826e7eb9a0f2af7d693de319f2ef775fffcda244b9f6';
const NIX32 = 'sha256:1xmr8jicvzszfzpz46g37mlpvbzjl2wpwvl2b05psipssyp1sm8h';

/** A database as Nix makes it: `tool` refers to itself and to `lib`, `lib` to nothing. Still open. */
function made(journal: 'wal' | 'delete'): DatabaseSync {
  const database = new DatabaseSync(file);
  database.exec(`pragma journal_mode = ${journal};
    create table ValidPaths (id integer primary key autoincrement not null, path text unique not null,
      hash text not null, registrationTime integer not null, deriver text, narSize integer, ultimate integer,
      sigs text, ca text);
    create table Refs (referrer integer not null, reference integer not null, primary key (referrer, reference));
    insert into ValidPaths (path, hash, registrationTime, deriver, narSize, sigs) values
      ('${path('tool')}', 'sha256:${HEX}', 1700000000, '${path('tool.drv')}', 120, 'a-1:AA== b-2:BB==');`);
  add(database, 'lib');
  database.exec('insert into Refs values (1, 1), (1, 2)');
  return database;
}

/** Registers a path that little is known of. */
function add(database: DatabaseSync, name: string, ...references: readonly number[]): void {
  const insert = database.prepare('insert into ValidPaths (path, hash, registrationTime) values (?, ?, 1)');
  const { lastInsertRowid } = insert.run(path(name), NIX32);
  const refers = database.prepare('insert into Refs values (?, ?)');
  for (const id of references) refers.run(lastInsertRowid, id);
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

const plain = (name: string): PathInfo => ({
  storePath: path(name),
  narHash: NIX32,
  narSize: null,
  registrationTime: 1,
  deriver: null,
  signatures: [],
  ca: null,
  references: [],
});
const EXPECTED = new Map<string, PathInfo>([
  [
    path('tool'),
    {
      ...plain('tool'),
      narSize: 120,
      registrationTime: 1_700_000_000,
      deriver: path('tool.drv'),
      signatures: ['a-1:AA==', 'b-2:BB=='],
      references: [path('lib'), path('tool')],
    },
  ],
  [path('lib'), plain('lib')],
]);
const read = () => pathInfosOf(state, [path('tool'), path('lib'), path('unknown')]);

describe('what the Nix database has registered', () => {
  it.each(['wal', 'delete'] as const)(
    'is told of each path it knows, and nothing is written (%s)',
    (journal) => {
      made(journal).close();
      const before = readdirSync(join(state, 'db'));
      expect(read()).toEqual(EXPECTED);
      expect(readdirSync(join(state, 'db'))).toEqual(before);
    },
  );

  it('is read while Nix has it open and has written to its log only', () => {
    const writer = made('wal');
    add(writer, 'unknown');
    expect(read().get(path('unknown'))).toEqual(plain('unknown'));
    writer.close();
  });

  it('is unknown where there is no Nix', () => {
    expect(pathInfosOf(join(state, 'none'), [path('tool')])).toEqual(new Map());
  });
});

describe('an open Nix database', () => {
  it('tells what is reached from some paths, and which of them are not valid', () => {
    const writer = made('wal');
    add(writer, 'app', 1);
    add(writer, 'other', 2);
    writer.exec('insert into Refs values (2, 3)'); // nothing that Nix would do: a circle ends, too
    writer.close();
    using database = NixDatabase.open(state);
    expect(database?.closure([path('app'), path('gone'), path('app')])).toEqual({
      paths: [path('app'), path('lib'), path('tool')],
      invalid: [path('gone')],
    });
    expect(database?.closure([])).toEqual({ paths: [], invalid: [] });
  });

  it('tells no closure in which a reference leads nowhere', () => {
    const written = made('wal');
    add(written, 'other', 1);
    add(written, 'lone');
    written.exec(`delete from ValidPaths where path = '${path('lib')}'`);
    using database = NixDatabase.open(state);
    for (const name of ['tool', 'other']) {
      expect(fault(() => database?.closure([path(name)]))).toBe('NIX_DATABASE_UNREADABLE');
    }
    expect(database?.closure([path('lone')]).paths).toEqual([path('lone')]);
    written.close();
  });

  it('sees what is registered while it is open', () => {
    made('wal').close();
    using database = NixDatabase.open(state);
    expect(database?.closure([path('late')]).invalid).toEqual([path('late')]);
    const writer = new DatabaseSync(file);
    add(writer, 'late', 1);
    expect(database?.closure([path('late')]).paths).toEqual([path('late'), path('lib'), path('tool')]);
    add(writer, 'later');
    expect(database?.infos([path('later')]).size).toBe(1);
    writer.close();
  });

  it('lists every path, also those that are registered while it does', () => {
    const writer = made('wal');
    writer.exec('begin');
    for (let number = 0; number < 20_000; number++) add(writer, `n${number}`);
    writer.exec('commit');
    writer.close();
    using database = NixDatabase.open(state);
    const paths = database?.allPaths();
    expect(paths?.next().value).toBe(path('tool'));
    const other = new DatabaseSync(file);
    add(other, 'late');
    const rest = [...(paths ?? [])];
    expect([rest.length, rest.at(-1)]).toEqual([20_002, path('late')]);
    other.close();
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

  it.each(['md5:d41d8cd98f00b204e9800998ecf8427e', 'sha256:00', ''])('that registers the hash %j', (hash) => {
    const writer = made('wal');
    writer.prepare('update ValidPaths set hash = ?').run(hash);
    writer.close();
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
