/*
 * Writes records to a ledger in SQLite, and says the number of each as soon as it is acknowledged; then closes it,
 * or with a further argument ends as a process does that leaves the closing to the system.
 */
import { writeSync } from 'node:fs';
import { SqliteLedger } from '../../src/ledger/sqlite/sqliteLedger.ts';
import { recordOf } from './records.ts';

const [path = '', prefix = '', count = '0', ends] = process.argv.slice(2);
const refuse = (error: Error): never => {
  throw error;
};
const ledger = new SqliteLedger(path, refuse, ends !== undefined);
/** So many at once, as the outputs of a scan are. */
const AT_ONCE = 7;
for (let number = 0; number < Number(count); number += AT_ONCE) {
  const numbers = Array.from({ length: Math.min(AT_ONCE, Number(count) - number) }, (_, at) => number + at);
  await Promise.all(
    numbers.map(async (one) => {
      await ledger.remember(recordOf(prefix, one));
      writeSync(1, `${one}\n`);
    }),
  );
}
await ledger.close();
if (ends !== undefined) process.exit();
