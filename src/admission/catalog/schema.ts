/** Says of a SQLite file that it is a catalog: `nsca`. */
export const APPLICATION_ID = 0x6e_73_63_61;

/**
 * What brings a catalog from one version of its schema to the next: from `user_version` i to i + 1.
 * One that was released is never changed.
 */
export const MIGRATIONS: readonly string[] = [
  // `nars` holds every name under which the NAR of a published path was ever published: who has an older narinfo
  // still asks for it.
  `pragma application_id = ${APPLICATION_ID};
   create table received (
     name text primary key, file_hash text not null, file_size integer not null, nar_hash text not null,
     nar_size integer not null, compression text not null, file text not null, by text not null, at integer not null
   ) strict, without rowid;
   create index received_by_age on received (at);
   create table refused (
     id integer primary key, file_hash text not null unique, nar_hash text, kept text, status integer not null,
     line text not null, judged_by text not null, at integer not null
   ) strict;
   create table published (
     hash_part text primary key, store_path text not null, nar_info text not null, nar_name text not null,
     nar_hash text not null, nar_size integer not null, file_hash text not null, file_size integer not null,
     verdict text not null, rules text not null, by text not null, at integer not null
   ) strict;
   create index published_by_age on published (at, hash_part);
   create table nars (
     name text not null, hash_part text not null, nar_hash text not null, file_hash text not null,
     file_size integer not null, primary key (name, hash_part)
   ) strict, without rowid;
   create table homes (token text not null, home text not null, primary key (token, home)) strict, without rowid;
   create table approvals (
     home text primary key, reason text not null, actor text not null, at integer not null
   ) strict, without rowid;
   create table objects (name text primary key, bytes blob not null, type text not null) strict;
   create table awaiting (
     nar_name text not null, object text not null, member text not null, at integer not null,
     primary key (nar_name, object, member)
   ) strict, without rowid;
   create index awaiting_by_age on awaiting (at);
   create table hours (
     start integer primary key, admitted integer not null default 0, refused integer not null default 0,
     held integer not null default 0, incomplete integer not null default 0, malformed integer not null default 0,
     bytes integer not null default 0
   ) strict;`,
  `alter table published add column uninspected integer not null default 0`,
];
