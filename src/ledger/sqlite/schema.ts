import type { DatabaseSync } from 'node:sqlite';
import { migrateBy } from './migration.ts';

/**
 * What brings a ledger from one version of its schema to the next: from `user_version` i to i + 1.
 * One that was released is never changed.
 */
const MIGRATIONS: readonly string[] = [
  // `paths` holds what lay at a store path when it was last read, `scans` who read it when.
  `create table paths (
     store_path text primary key, stamp text not null, nar_hash text not null, context text not null
   ) strict, without rowid;
   create index paths_of on paths (nar_hash, context);
   create table facts (
     id integer primary key, nar_hash text not null, context text not null, at integer not null,
     found blob not null, digest blob not null, unique (nar_hash, context)
   ) strict;
   create index facts_by_age on facts (at);
   create trigger forget_paths after delete on facts begin
     delete from paths where nar_hash = old.nar_hash and context = old.context;
   end;
   create table scans (
     id integer primary key, store_path text not null, nar_hash text not null, context text not null,
     stamp text not null, version text not null, at integer not null, by text not null
   ) strict;
   create index scans_of on scans (store_path);
   create table trail_head (
     one integer primary key check (one = 1), sequence integer not null, hash text not null
   ) strict;`,
];

/** The version of the schema that this program writes. */
export const SCHEMA_VERSION = MIGRATIONS.length;

/** Brings a ledger to {@link SCHEMA_VERSION}, as a whole or not at all. Nobody else may have it open. */
export function migrate(database: DatabaseSync): void {
  migrateBy(MIGRATIONS, database);
}
