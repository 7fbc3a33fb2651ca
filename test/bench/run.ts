/**
 * npm run bench [-- ROW…]: how long nar-scan takes beside what does a part of its work, on this machine,
 * both in the same run and by turns. Prints a table and keeps it in test/bench/results. Ratios can be
 * compared between machines, seconds cannot. Exits with 1 when a row misses its target.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { BenchInputs } from './inputs.ts';
import { peerVersions, type Row, ROWS } from './rows.ts';

function figure(value: number, unit: Row['unit']): string {
  return unit === 'MiB' ? `${value.toFixed(0)} MiB` : `${value.toFixed(3)} ${unit}`;
}

function table(rows: readonly Row[]): string {
  const lines = rows.map((row) =>
    [
      '',
      row.name,
      row.what,
      `${row.peer}: ${figure(row.peerMedian, row.unit)}`,
      figure(row.subjectMedian, row.unit),
      `${row.ratio.toFixed(2)}×`,
      row.target,
      row.within ? 'yes' : '**no**',
      row.peakMiB === null ? '' : `${row.peakMiB.toFixed(0)} MiB`,
      [`${row.pairs} pairs`, ...row.notes].join('; '),
      '',
    ]
      .join(' | ')
      .trim(),
  );
  return [
    '| row | what | beside | nar-scan | ratio | target | within | peak memory | notes |',
    '| --- | --- | --- | --- | --- | --- | --- | --- | --- |',
    ...lines,
  ].join('\n');
}

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !Object.hasOwn(ROWS, name));
if (unknown.length > 0) {
  process.stderr.write(`no such row: ${unknown.join(', ')} (there are ${Object.keys(ROWS).join(', ')})\n`);
  process.exit(2);
}

using inputs = new BenchInputs();
const rows: Row[] = [];
const failures: string[] = [];
for (const [name, measure] of Object.entries(ROWS)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  process.stderr.write(`measuring ${name}\n`);
  try {
    rows.push(...[await measure(inputs)].flat());
  } catch (error) {
    failures.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

const cpu = cpus()[0]?.model.trim() ?? 'unknown';
const machine = {
  date: new Date().toISOString().slice(0, 10),
  cpu,
  cores: availableParallelism(),
  memoryGiB: Math.round(totalmem() / 2 ** 30),
  node: process.version,
  peers: peerVersions(),
};
const heading = `${machine.date}, ${cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB, Node ${machine.node}; ${machine.peers.join(', ')}`;
const text = [heading, '', table(rows), ...failures.map((failure) => `\nnot measured: ${failure}`)].join(
  '\n',
);
console.log(text);

const folder = join(import.meta.dirname, 'results');
const slug = cpu
  .toLowerCase()
  .replaceAll(/\([^)]*\)/g, '')
  .replaceAll(/[^a-z0-9]+/g, '-')
  .replaceAll(/^-|-$/g, '');
const part = wanted.length > 0 ? `-${wanted.join('-')}` : '';
const file = join(folder, `${machine.date}-${slug}-${machine.cores}-cores${part}`);
mkdirSync(folder, { recursive: true });
writeFileSync(`${file}.json`, `${JSON.stringify({ machine, rows, failures }, null, 2)}\n`);
writeFileSync(`${file}.md`, `${text}\n`);
if (failures.length > 0 || rows.some(({ within }) => !within)) process.exitCode = 1;
