import type { DatabaseSync } from 'node:sqlite';
import { Statements } from '../../ledger/sqlite/statements.ts';
import { LIMITS } from '../../model/limits.ts';
import { hashPartOf } from '../../nix/storePath.ts';
import { type AdmissionHour, type Approval, isSamePath, type NewPath, type RefusedNar } from '../catalog.ts';
import type { Admission, PublishedPath, ReceivedNar } from '../contracts.ts';
import { isAdmitted } from '../outcome.ts';
import { approvalOf, bytes, hourOf, publishedOf, receivedOf, refusedOf, type Row, text } from './rows.ts';

const HOUR = 3_600_000;
/** Hours that are remembered: a month of them. */
const HOURS = 31 * 24;

/** What the tables of a catalog hold, in the words of `Catalog`. Every method throws the error of SQLite. */
export class CatalogTables {
  readonly #statements: Statements;

  constructor(database: DatabaseSync) {
    this.#statements = new Statements(database);
  }

  received(name: string): ReceivedNar | null {
    return mapped(this.#row('select * from received where name = ?', name), receivedOf);
  }

  receive(nar: ReceivedNar): void {
    const { name, fileHash, fileSize, narHash, narSize, compression, file, by, at } = nar;
    const query = 'insert or replace into received values (?, ?, ?, ?, ?, ?, ?, ?, ?)';
    this.#run(query, name, fileHash, fileSize, narHash, narSize, compression, file, by, at);
  }

  forgetReceived(before: number): readonly string[] {
    return this.#statements.together('begin immediate', () => {
      this.#run('delete from awaiting where at < ?', before);
      const files = this.#rows('select file from received where at < ?', before);
      this.#run('delete from received where at < ?', before);
      return files.map((row) => text(row, 'file'));
    });
  }

  receivedFiles(): ReadonlySet<string> {
    return new Set(this.#rows('select file from received').map((row) => text(row, 'file')));
  }

  refused(fileHash: string): RefusedNar | null {
    return mapped(this.#row('select * from refused where file_hash = ?', fileHash), refusedOf);
  }

  refuse({ fileHash, narHash, id, status, line, judgedBy, at }: RefusedNar): void {
    this.#statements.together('begin immediate', () => {
      const query = `insert or replace into refused (file_hash, nar_hash, kept, status, line, judged_by, at)
        values (?, ?, ?, ?, ?, ?, ?)`;
      this.#run(query, fileHash, narHash, id, status, line, judgedBy, at);
      // one that is forgotten is only searched anew when it comes again
      this.#run('delete from refused where id <= (select max(id) from refused) - ?', LIMITS.refusedUploads);
    });
  }

  published(hashPart: string): PublishedPath | null {
    return mapped(this.#row('select * from published where hash_part = ?', hashPart), publishedOf);
  }

  publishedNar(name: string, counts: Counts = () => true): PublishedPath | null {
    const query = `select p.*, n.name, n.file_hash as own_hash, n.file_size as own_size
      from nars n join published p on p.hash_part = n.hash_part where n.name = ?`;
    for (const row of this.#statements.prepared(query).iterate(name)) {
      const path = publishedOf({
        ...row,
        nar_name: row['name'] ?? null,
        file_hash: row['own_hash'] ?? null,
        file_size: row['own_size'] ?? null,
      });
      if (counts(path)) return path;
    }
    return null;
  }

  publishedAmong(storePaths: readonly string[], counts: Counts = () => true): ReadonlySet<string> {
    return this.#statements.together('begin', () => {
      const isThere = (storePath: string): boolean => {
        const path = this.published(hashPartOf(storePath) ?? '');
        return path?.storePath === storePath && counts(path);
      };
      return new Set(storePaths.filter(isThere));
    });
  }

  inTheWay(path: NewPath): PublishedPath | null {
    const before = this.published(path.hashPart);
    if (before !== null && !isSamePath(before, path) && (wasAdmitted(before) || !wasAdmitted(path)))
      return before;
    const sameName = this.publishedNar(path.narName);
    return sameName === null || isSameNar(sameName, path) ? null : sameName;
  }

  publish(path: PublishedPath): PublishedPath {
    return this.#statements.together('begin immediate', () => {
      const other = this.inTheWay(path);
      if (other !== null) return other;
      const before = this.published(path.hashPart);
      // nobody is to be served the NAR of what gave way, nor one that was never inspected and admitted
      if (before !== null && !(isSamePath(before, path) && isAdmitted(before.verdict, false)))
        this.#run('delete from nars where hash_part = ?', path.hashPart);
      const known = before === null ? path : asKnown(path, before);
      this.#put(known);
      return known;
    });
  }

  publishedPaths(
    most: number,
    after?: { readonly at: number; readonly hashPart: string },
  ): readonly PublishedPath[] {
    const order = 'order by at desc, hash_part desc limit ?';
    const rows =
      after === undefined
        ? this.#rows(`select * from published ${order}`, most)
        : this.#rows(
            `select * from published where (at, hash_part) < (?, ?) ${order}`,
            after.at,
            after.hashPart,
            most,
          );
    return rows.map(publishedOf);
  }

  homes(token: string): readonly string[] {
    const rows = this.#rows('select home from homes where token = ? order by home', token);
    return rows.map((row) => text(row, 'home'));
  }

  addHomes(token: string, homes: readonly string[]): void {
    this.#statements.together('begin immediate', () => {
      for (const home of homes) this.#run('insert or ignore into homes values (?, ?)', token, home);
    });
  }

  approvals(): readonly Approval[] {
    return this.#rows('select * from approvals order by at desc, home').map(approvalOf);
  }

  approve({ home, reason, actor, at }: Approval): void {
    this.#run('insert or ignore into approvals values (?, ?, ?, ?)', home, reason, actor, at);
  }

  object(name: string): { readonly bytes: Buffer; readonly type: string } | null {
    return mapped(this.#row('select bytes, type from objects where name = ?', name), (row) => ({
      bytes: bytes(row, 'bytes'),
      type: text(row, 'type'),
    }));
  }

  putObject(name: string, content: Uint8Array, type: string, stale: Uint8Array | null): boolean {
    return this.#statements.together('begin immediate', () => {
      this.#run('delete from objects where name = ? and bytes = ?', name, stale);
      this.#run('insert or ignore into objects values (?, ?, ?)', name, content, type);
      return this.object(name)?.bytes.equals(content) === true;
    });
  }

  awaitNar(narName: string, object: string, member: string): void {
    const query = 'insert or ignore into awaiting values (?, ?, ?, ?)';
    this.#run(query, narName, object, member, Date.now());
  }

  awaiting(narName: string): readonly { readonly object: string; readonly member: string }[] {
    const rows = this.#rows('select object, member from awaiting where nar_name = ?', narName);
    return rows.map((row) => ({ object: text(row, 'object'), member: text(row, 'member') }));
  }

  tell({ at, outcome, bytes: size }: Admission): void {
    const start = at - (at % HOUR);
    this.#statements.together('begin immediate', () => {
      this.#run(
        `insert into hours (start, ${outcome}, bytes) values (?, 1, ?)
         on conflict do update set ${outcome} = ${outcome} + 1, bytes = bytes + excluded.bytes`,
        start,
        size,
      );
      this.#run('delete from hours where start <= ?', start - HOURS * HOUR);
    });
  }

  hours(count: number, now: number): readonly AdmissionHour[] {
    const last = now - (now % HOUR);
    const first = last - (count - 1) * HOUR;
    const rows = this.#rows('select * from hours where start between ? and ?', first, last).map(hourOf);
    const known = new Map(rows.map((hour) => [hour.from, hour]));
    return Array.from({ length: count }, (_, index) => {
      const from = first + index * HOUR;
      return known.get(from) ?? { ...NOTHING, from };
    });
  }

  #put(path: PublishedPath): void {
    const { hashPart, storePath, narInfo, narName, narHash, narSize, fileHash, fileSize } = path;
    this.#run(
      'insert or replace into published values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
      hashPart,
      storePath,
      narInfo,
      narName,
      narHash,
      narSize,
      fileHash,
      fileSize,
      path.verdict,
      path.rules,
      path.by,
      path.at,
      Number(path.isUninspected),
    );
    const query = 'insert or ignore into nars values (?, ?, ?, ?, ?)';
    this.#run(query, narName, hashPart, narHash, fileHash, fileSize);
    this.#run('delete from received where name = ?', narName);
  }

  #row(query: string, ...values: readonly Value[]): Row | null {
    return this.#statements.prepared(query).get(...values) ?? null;
  }

  #rows(query: string, ...values: readonly Value[]): readonly Row[] {
    return this.#statements.prepared(query).all(...values);
  }

  #run(query: string, ...values: readonly Value[]): void {
    this.#statements.prepared(query).run(...values);
  }
}

type Value = string | number | null | Uint8Array;
type Counts = (path: PublishedPath) => boolean;

const NOTHING = { admitted: 0, refused: 0, held: 0, incomplete: 0, malformed: 0, bytes: 0 };

function wasAdmitted({ verdict, isUninspected }: NewPath): boolean {
  return isAdmitted(verdict, isUninspected);
}

/**
 * What is said of a path and its content from now on: what was inspected and admitted once stays so. Packed otherwise,
 * or with another narinfo, it is other bytes that are served.
 */
function asKnown(path: PublishedPath, before: PublishedPath): PublishedPath {
  const isSame = isSameNar(before, path) && before.narInfo === path.narInfo;
  if (!isSame || isAdmitted(path.verdict, false) || !isAdmitted(before.verdict, false)) return path;
  const { verdict, isUninspected, rules, by, at } = before;
  return { ...path, verdict, isUninspected, rules, by, at };
}

function isSameNar(known: NewPath, path: NewPath): boolean {
  return known.narHash === path.narHash && known.fileHash === path.fileHash;
}

function mapped<T>(row: Row | null, map: (row: Row) => T): T | null {
  return row === null ? null : map(row);
}
