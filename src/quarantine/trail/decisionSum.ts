import type { DatabaseSync } from 'node:sqlite';
import type { Digest } from '../../report/ids.ts';

/** What people decided, as the index has it. There are few of them, however long the trail is. */
const DECISIONS = ['denials', 'releases', 'lifts'];

/** A hash over all decisions of an index, row by row: one that was lost, added or changed shows. */
export function decisionSum(database: DatabaseSync, digest: Digest): string {
  let sum = '';
  for (const table of DECISIONS) {
    for (const row of database.prepare(`select * from ${table} order by rowid`).iterate()) {
      sum = digest(Buffer.from(JSON.stringify([sum, table, Object.values(row)])));
    }
  }
  return sum;
}
