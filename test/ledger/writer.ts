/* Writes records to a ledger in SQLite, and says the number of each as soon as it is acknowledged. */
import { writeSync } from 'node:fs';
import { SqliteLedger } from '../../src/ledger/sqlite/sqliteLedger.ts';
import { recordOf } from './records.ts';

const [path = '', prefix = '', count = '0'] = process.argv.slice(2);
const ledger = new SqliteLedger(path, (error) => {
  throw error;
});
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
