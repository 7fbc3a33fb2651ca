import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { BenchInputs } from './inputs.ts';
import { countedByFind, TREE } from './inputs.ts';
import { benchClosure } from './closure.ts';
import { benchHook, HOOK_PAIRS } from './hook.ts';
import { benchKernel } from './kernel.ts';
import { benchBesideNginx, benchLoad, benchUpload, SERVE_PAIRS, type UploadFigures } from './serve.ts';
import { alternate, type Command, median, runOnce } from './timing.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const NAR_SCAN = join(ROOT, 'bin/nar-scan');
const NODE = process.execPath;
const MiB = 1024 * 1024;

/** The peak of resident memory that every row must stay below. */
const MEMORY_TARGET = 256 * MiB;

/** A row of the table: what was measured beside what, and what it must not exceed. */
export interface Row {
  readonly name: string;
  readonly what: string;
  readonly peer: string;
  /** Medians, in the row's own unit. */
  readonly peerMedian: number;
  readonly subjectMedian: number;
  readonly unit: 's' | 'GB/s' | 'MiB';
  readonly pairs: number;
  /** nar-scan's median by the peer's; for speeds, where more is better, too. */
  readonly ratio: number;
  readonly target: string;
  readonly within: boolean;
  /** Peak resident memory of nar-scan in MiB; null where it was not watched. */
  readonly peakMiB: number | null;
  /** What else was checked, or is to be known. */
  readonly notes: readonly string[];
}

const ROOTS = ['/home/', '/Users/', '/root/', '/var/home/', '/export/home/'];
const RG_FLAGS = ['-a', '--no-ignore', '--hidden', '--no-messages', '-j2', '-F', '--count-matches'];
const SCAN_FLAGS = ['--no-ledger', '--quiet'];

const rg = (...targets: readonly string[]): Command => ({
  program: 'rg',
  args: [...RG_FLAGS, ...ROOTS.flatMap((root) => ['-e', root]), ...targets],
  statuses: [0, 1],
});

const scan = (...args: readonly string[]): Command => ({
  program: NAR_SCAN,
  args: [...SCAN_FLAGS, ...args],
  statuses: [0, 1, 3],
});

interface Comparison {
  readonly name: string;
  readonly what: string;
  readonly peerName: string;
  readonly peer: Command;
  readonly subject: Command;
  readonly pairs: number;
  /** The largest ratio of nar-scan's wall time by the peer's; null for a row that is only to be known. */
  readonly most: number | null;
  readonly notes?: readonly string[];
}

async function compare(comparison: Comparison): Promise<Row> {
  const { name, what, peerName, peer, subject, pairs, most, notes = [] } = comparison;
  const { peakBytes, status } = await runOnce(subject, true);
  const seconds = await alternate(peer, subject, pairs);
  const [peerMedian, subjectMedian] = [median(seconds.peer), median(seconds.subject)];
  const ratio = subjectMedian / peerMedian;
  const within = (most === null || ratio <= most) && peakBytes <= MEMORY_TARGET;
  return {
    name,
    what,
    peer: peerName,
    peerMedian,
    subjectMedian,
    unit: 's',
    pairs,
    ratio,
    target: most === null ? '-' : `≤ ${most.toFixed(1)}×`,
    within,
    peakMiB: peakBytes / MiB,
    notes: [`exit status ${status}`, ...notes],
  };
}

/** What is looked at of a report. */
interface Report {
  readonly outputs: readonly { readonly stats: { readonly files: number; readonly bytes: number } }[];
}

/** A scan whose statistics are compared with what find counts. Throws when they differ. */
function checkedStats(args: readonly string[], counted: { files: number; bytes: number }): string {
  const run = spawnSync(NAR_SCAN, [...args, '--no-ledger', '--format', 'json'], {
    encoding: 'utf8',
    maxBuffer: 1024 * MiB,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const report = JSON.parse(run.stdout) as Report;
  const files = report.outputs.reduce((sum, { stats }) => sum + stats.files, 0);
  const bytes = report.outputs.reduce((sum, { stats }) => sum + stats.bytes, 0);
  if (files !== counted.files || bytes !== counted.bytes) {
    throw new Error(`stats say ${files} files, ${bytes} bytes; find says ${counted.files}, ${counted.bytes}`);
  }
  return `stats equal find's: ${files} files, ${(bytes / 1e9).toFixed(2)} GB`;
}

async function tree(): Promise<Row> {
  const counted = countedByFind(TREE);
  const small = counted.files < 100_000 || counted.bytes < 4e9;
  const args = ['--max-depth', '0', ...TREE];
  const notes = [checkedStats(args, counted), ...(small ? ['smaller than 100,000 files and 4 GB'] : [])];
  return compare({
    name: 'tree',
    what: `${TREE.join(' and ')}, \`--max-depth 0\``,
    peerName: 'rg -j2, five roots',
    peer: rg(...TREE),
    subject: scan(...args),
    pairs: 11,
    most: 1,
    notes,
  });
}

/** Everything opened, beside a search that opens compressed files alone. */
async function opened(): Promise<Row> {
  const counted = countedByFind(TREE);
  return compare({
    name: 'opened',
    what: `${TREE.join(' and ')}, containers opened`,
    peerName: 'rg -z -j2, five roots',
    // 2: files that no decompressor reads, which test data is full of
    peer: { ...rg(...TREE), args: ['-z', ...rg(...TREE).args], statuses: [0, 1, 2] },
    subject: scan(...TREE),
    pairs: 5,
    most: 1.5,
    notes: [checkedStats(TREE, counted)],
  });
}

const nar = async (inputs: BenchInputs): Promise<Row> =>
  compare({
    name: 'nar',
    what: 'one uncompressed NAR of 1 GB or more',
    peerName: 'rg -j2, five roots',
    peer: rg(inputs.largeNar()),
    subject: scan('--max-depth', '0', inputs.largeNar()),
    pairs: 7,
    most: 1,
  });

const hugeNar = async (inputs: BenchInputs): Promise<Row> =>
  compare({
    name: 'nar-huge',
    what: `the NAR of ${TREE[0]}`,
    peerName: 'rg -j2, five roots',
    peer: rg(inputs.hugeNar()),
    subject: scan('--max-depth', '0', inputs.hugeNar()),
    pairs: 7,
    most: 1,
  });

const narHash = async (inputs: BenchInputs): Promise<Row> =>
  compare({
    name: 'nar-hash',
    what: 'the same, with NarHash',
    peerName: 'rg -j2, five roots',
    peer: rg(inputs.largeNar()),
    subject: {
      program: NAR_SCAN,
      args: ['--quiet', '--max-depth', '0', inputs.largeNar()],
      statuses: [0, 1, 3],
    },
    pairs: 5,
    most: null,
  });

const xz = async (inputs: BenchInputs): Promise<Row> =>
  compare({
    name: 'xz',
    what: 'one xz NAR',
    peerName: 'xz -dc',
    peer: { program: 'xz', args: ['-dc', inputs.xzNar()], statuses: [0] },
    subject: scan('--max-depth', '0', inputs.xzNar()),
    pairs: 5,
    most: 1.3,
  });

const zstd = async (inputs: BenchInputs): Promise<Row> =>
  compare({
    name: 'zstd',
    what: 'one zstd NAR',
    peerName: 'zstd -dc',
    peer: { program: 'zstd', args: ['-q', '-dc', inputs.zstdNar()], statuses: [0] },
    subject: scan('--max-depth', '0', inputs.zstdNar()),
    pairs: 7,
    most: 2.2,
  });

const twoXz = async (inputs: BenchInputs): Promise<Row> =>
  compare({
    name: 'two-xz',
    what: 'two xz NARs on two cores',
    peerName: 'nar-scan on one of them',
    peer: scan('--max-depth', '0', inputs.xzNar()),
    subject: scan('--max-depth', '0', inputs.xzNar(), inputs.xzNarTwin()),
    pairs: 5,
    most: 1.1,
  });

const startUp = async (): Promise<Row> =>
  compare({
    name: 'start',
    what: '`nar-scan --version`',
    peerName: 'node -e 0',
    peer: { program: NODE, args: ['-e', '0'], statuses: [0] },
    subject: { program: NAR_SCAN, args: ['--version'], statuses: [0] },
    pairs: 21,
    most: 1.5,
  });

/** One scan of a NAR on stdin that is made on the fly, NarHash and all. Throws when it was not read whole. */
async function scanOnStdin(mebibytes: number): Promise<{ peak: number; seconds: number }> {
  const folder = mkdtempSync(join(tmpdir(), 'nar-scan-bench-'));
  try {
    const report = join(folder, 'report.json');
    const bytes = mebibytes * MiB;
    const writer = join(ROOT, 'test/bench/writeNar.ts');
    const command: Command = {
      program: NAR_SCAN,
      args: ['--format', 'json', '--output', report, '-'],
      stdin: { program: NODE, args: [writer, String(bytes), '8'], statuses: [0] },
      statuses: [0],
    };
    const { peakBytes, seconds } = await runOnce(command, true);
    const { outputs } = JSON.parse(readFileSync(report, 'utf8')) as Report;
    const read = outputs.reduce((sum, { stats }) => sum + stats.bytes, 0);
    if (read !== bytes) throw new Error(`${read} bytes were read of ${bytes}`);
    return { peak: peakBytes / MiB, seconds };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Peak memory on stdin, for 8 GB by 1 GB: flat in the size. */
async function memory(): Promise<Row> {
  const small = await scanOnStdin(1024);
  const large = await scanOnStdin(8 * 1024);
  return {
    name: 'memory',
    what: 'peak memory, an 8 GiB NAR on stdin, with NarHash',
    peer: 'a 1 GiB NAR on stdin',
    peerMedian: small.peak,
    subjectMedian: large.peak,
    unit: 'MiB',
    pairs: 1,
    ratio: large.peak / small.peak,
    target: '≤ 256 MiB',
    within: large.peak <= 256,
    peakMiB: large.peak,
    notes: [`8 GiB took ${large.seconds.toFixed(1)} s`],
  };
}

/** The search alone on one core, beside a plain read of the same memory: speeds, so more is better. */
/** What speeds in memory are held to; in cache a sum costs next to nothing, and the plain set as little. */
const KERNEL_TARGETS = {
  sum: { needles: 'fixed', least: 0.5 },
  fixed: { needles: null, least: 0.75 },
} as const;

async function kernel(): Promise<readonly Row[]> {
  const figures = await benchKernel();
  return figures.map(({ engine, needles, data, where, peer, search, peerSpeed, ratio }) => {
    const target = KERNEL_TARGETS[peer];
    const counts = where === 'memory' && (target.needles ?? needles) === needles;
    return {
      name: 'kernel',
      what: `${data} in ${where}, ${needles} needles`,
      peer: peer === 'sum' ? 'sum of its 64-bit words' : 'the fixed needles',
      peerMedian: peerSpeed / 1e9,
      subjectMedian: search / 1e9,
      unit: 'GB/s',
      pairs: 7,
      ratio,
      target: counts ? `≥ ${target.least}×` : '-',
      within: !counts || ratio >= target.least,
      peakMiB: null,
      notes: [engine],
    };
  });
}

async function closure(): Promise<Row> {
  const { peakBytes, ...row } = await benchClosure(NAR_SCAN);
  return { ...row, peakMiB: peakBytes / MiB, within: row.within && peakBytes <= MEMORY_TARGET, notes: [] };
}

/** The post-build hook, which everybody waits for after every build. */
async function hook(): Promise<readonly Row[]> {
  const most = 2.5;
  const { node, fresh, known } = await benchHook();
  const row = (what: string, seconds: number): Row => ({
    name: 'hook',
    what,
    peer: 'node -e 0',
    peerMedian: node,
    subjectMedian: seconds,
    unit: 's',
    pairs: HOOK_PAIRS,
    ratio: seconds / node,
    target: `≤ ${most.toFixed(1)}×`,
    within: seconds / node <= most,
    peakMiB: null,
    notes: [],
  });
  return [
    row('the post-build hook, ten files that were scanned before', known),
    row('the same, ten files that are new', fresh),
  ];
}

/** What the cache server may keep in memory, whatever it is sent. */
const SERVER_MEMORY_TARGET = 512 * MiB;

/** Single uploads to the cache server: their speed by that of the peer must be at least this. */
const UPLOADS = [
  { ending: 'xz', peer: 'xz -dc', least: 0.7 },
  { ending: 'zstd', peer: 'zstd -dc', least: 0.4 },
  { ending: '', peer: 'PUT to nginx', least: 0.5 },
] as const;

/** Bytes a second that suffice for an uncompressed NAR, whatever nginx does. */
const UPLOAD_SPEED = 400e6;

/** One upload until it is admitted. */
function uploadRow(
  what: string,
  { ending, peer, least }: (typeof UPLOADS)[number],
  figures: UploadFigures,
): Row {
  const ratio = figures.subject / figures.peer;
  const speed = figures.bytes / figures.subject;
  const isFast = ratio <= 1 / least || (ending === '' && speed >= UPLOAD_SPEED);
  return {
    name: 'serve',
    what: `PUT of ${what}, ${ending === '' ? 'uncompressed' : ending}`,
    peer,
    peerMedian: figures.peer,
    subjectMedian: figures.subject,
    unit: 's',
    pairs: SERVE_PAIRS,
    ratio,
    target: `≤ ${(1 / least).toFixed(2)}×${ending === '' ? ' or ≥ 400 MB/s' : ''}`,
    within: isFast && figures.peakBytes <= SERVER_MEMORY_TARGET,
    peakMiB: figures.peakBytes / MiB,
    notes: [`${(speed / 1e6).toFixed(0)} MB/s as sent`],
  };
}

/** Single uploads to the cache server: libraries, and a folder in which every other file is an archive. */
async function serve(inputs: BenchInputs): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (const upload of UPLOADS) {
    const { ending } = upload;
    const narsOf = {
      'a NAR of libraries': ending === '' ? inputs.librariesNar() : inputs.librariesPacked(ending),
      'a NAR of archives': { '': inputs.nar(), xz: inputs.xzNar(), zstd: inputs.zstdNar() }[ending],
    };
    for (const [what, file] of Object.entries(narsOf)) {
      const unpack = { program: ending, args: ['-q', '-dc', file], statuses: [0] };
      const name = { '': '', xz: '.xz', zstd: '.zst' }[ending];
      const figures = ending === '' ? await benchBesideNginx(file) : await benchUpload(file, name, unpack);
      rows.push(uploadRow(what, upload, figures));
    }
  }
  return rows;
}

/** The cache server under many clients: how long a small upload takes then, by when it is alone. */
async function load(): Promise<Row> {
  const most = 5;
  const { idle, busy, busyCount, megabytesPerSecond, peakMiB, errors } = await benchLoad();
  const ratio = busy / idle;
  return {
    name: 'load',
    what: 'PUT of a small NAR beside 64 of 200 MB, 200 slow readers, 50 slow writers',
    peer: 'the same alone',
    peerMedian: idle / 1000,
    subjectMedian: busy / 1000,
    unit: 's',
    pairs: 1,
    ratio,
    target: `≤ ${most.toFixed(1)}×`,
    within: ratio <= most && peakMiB * MiB <= SERVER_MEMORY_TARGET && errors.length === 0,
    peakMiB,
    notes: [
      `${busyCount} small ones, 8 at once with and without the load`,
      `${megabytesPerSecond.toFixed(0)} MB/s of large ones`,
      `${errors.length} errors`,
      ...errors.slice(0, 3),
    ],
  };
}

/** What can be asked for by name, in the order of the table. */
export const ROWS: Readonly<Record<string, (inputs: BenchInputs) => Promise<Row | readonly Row[]>>> = {
  start: startUp,
  hook,
  kernel,
  tree,
  opened,
  nar,
  'nar-huge': hugeNar,
  'nar-hash': narHash,
  xz,
  'two-xz': twoXz,
  zstd,
  memory,
  closure,
  serve,
  load,
};

/** Names of the programs a row is measured beside, with their versions. */
export function peerVersions(): readonly string[] {
  return ['rg', 'xz', 'zstd'].map(
    (program) =>
      execFileSync(program, ['--version'], { encoding: 'utf8' }).split('\n')[0]?.replaceAll('*', '').trim() ??
      program,
  );
}
