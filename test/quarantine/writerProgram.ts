import { randomBytes, randomInt } from 'node:crypto';
import { mkdirSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { openLedger } from '../../src/ledger/open.ts';
import { AuditLog } from '../../src/quarantine/audit.ts';
import { outputNamed, releaseOf } from '../../src/quarantine/judgement.ts';
import { Quarantine } from '../../src/quarantine/store/quarantine.ts';
import { refusedAt } from '../support/refused.ts';

/*
 * Writes to a quarantine until it is killed: keeps outputs, releases them, purges some. What was
 * acknowledged is told on stdout, a line each: what was done, the number of the record, the id.
 */
const [folder = '', name = ''] = process.argv.slice(2);
const state = join(folder, 'state');
const tree = join(folder, name);
mkdirSync(tree, { recursive: true });

const ledger = openLedger({ NAR_SCAN_STATE: state }, () => undefined);
using log = await AuditLog.open(state, { actor: name, witness: ledger });
const quarantine = new Quarantine(log, { keep: true, bytes: 1 << 30, full: 'refuse' });
const tell = (...words: readonly (string | number)[]): void => {
  writeSync(1, `${words.join(' ')}\n`);
};

for (;;) {
  writeFileSync(join(tree, 'file0'), randomBytes(randomInt(200_000)));
  const refused = refusedAt(tree, `${name}-${randomInt(2 ** 40)}`);
  const { id, refusal } = await quarantine.keep(refused);
  if (refusal !== null) throw refusal;
  tell('quarantined', 0, id);
  const { record } = outputNamed(log, id);
  const [released] = await log.append(releaseOf(record, 'for a test', null));
  tell('released', released?.seq ?? 0, id);
  if (randomInt(3) > 0) continue;
  const [purged] = await quarantine.purge([record], 'for a test');
  tell('purged', purged?.seq ?? 0, id);
}
