import { once } from 'node:events';
import { linkSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Turns } from '../../src/inspect/turns.ts';
import type { OutputFacts } from '../../src/model/facts.ts';
import { verdictOfOutput, verdictOfRun } from '../../src/policy/verdict.ts';
import { LocalWorker } from '../../src/scan/localWorker.ts';
import { startWorkers } from '../../src/scan/thread.ts';
import { type EngineRun, runEngine, timeless, workerThat } from '../support/engineRun.ts';
import { ROOT } from '../support/narScan.ts';
import { directory, file, nar } from '../support/narWriter.ts';

const LEAK = 'prefix=/home/noamyr/x\n';
const HASH = '0123456789abcdfghijklmnpqrsvwxyz';
const hashed = (number: number): string => `${String(number).padStart(4, '0')}${HASH.slice(4)}`;

let folder: string;
/** Trees of some files, one in three of them with a leak. */
let trees: readonly string[];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'nar-scan-engine-'));
  trees = Array.from({ length: 12 }, (_, index) => {
    const path = join(folder, `tree-${index}`);
    mkdirSync(join(path, 'bin'), { recursive: true });
    for (let count = 0; count < 40; count++) writeFileSync(join(path, `bin/${count}`), `file ${count}\n`);
    writeFileSync(join(path, 'share'), index % 3 === 0 ? LEAK : 'nothing\n');
    return path;
  });
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

const verdict = (facts: OutputFacts) => verdictOfOutput(facts, { strict: false });
const verdicts = ({ outputs }: EngineRun) => outputs.map(verdict);
const verdictOf = (run: EngineRun) => verdictOfRun(new Set(verdicts(run)), run.errors.length);
const gapDetails = ({ gaps }: OutputFacts) => gaps.map(({ reason, detail }) => `${reason}: ${detail}`);

/** What must hold of every run in which a worker died. */
function expectNoTargetForgotten(run: EngineRun, targets: readonly string[]): void {
  expect(run.outputs.map(({ target }) => target)).toEqual(targets);
  expect(run.errors.length).toBeGreaterThan(0);
  for (const { code, target } of run.errors) {
    expect(code).toBe('WORKER_DIED');
    const output = run.outputs.find((facts) => facts.target === target);
    expect(output === undefined ? 'gone' : verdict(output)).not.toBe('clean');
  }
  expect(verdictOf(run)).not.toBe('clean');
}

/** Lets others have their turn whenever that may be. */
class EagerTurns implements Turns {
  readonly due = true;
  passed = 0;

  async pass(): Promise<void> {
    this.passed++;
    await setImmediate();
  }
}

describe('a worker that dies', () => {
  it.each([
    ['ends the process of its own', 'process.exit(0)', /WORKER_DIED: a worker died: /],
    ['ends with a fault', 'process.exit(7)', /WORKER_DIED/],
    ['throws', "throw new Error('oh no')", /oh no/],
    ['throws what is no error', "throw 'oh no'", /oh no/],
    ['rejects', "Promise.reject(new Error('oh no'))", /oh no/],
    ['throws later', "setTimeout(() => { throw new Error('oh no') }, 50)", /oh no/],
    ['closes its port', 'parentPort.close()', /WORKER_DIED/],
  ])('because it %s is an error of its target, and the others are scanned', async (_what, deed, detail) => {
    const workers = [workerThat(deed), ...startWorkers(1)];
    const run = await runEngine({ targets: trees }, { workers });
    expectNoTargetForgotten(run, trees);
    // it had one target in hand: that of its only assignment
    expect(run.errors.map(({ target }) => target)).toEqual([trees[0]]);
    expect(gapDetails(run.outputs[0] as OutputFacts).join()).toMatch(detail);
    expect(verdicts(run).slice(1)).toEqual(
      trees.slice(1).map((_, index) => ((index + 1) % 3 === 0 ? 'contaminated' : 'clean')),
    );
  });

  it('because it uses up its memory is one like any other', async () => {
    const hoarder = workerThat('const held = []; for (;;) held.push(new Array(1e5).fill(held.length));', 64);
    const run = await runEngine({ targets: trees }, { workers: [hoarder, ...startWorkers(1)] });
    expectNoTargetForgotten(run, trees);
    expect(run.errors.map(({ message }) => message).join()).toMatch(/memory/);
  });

  it('does not take back what it said of other targets before', async () => {
    const [first, second] = startWorkers(2);
    if (first === undefined || second === undefined) throw new Error('no workers');
    let told = 0;
    const run = await runEngine(
      { targets: trees },
      {
        workers: [first, second],
        output: async () => {
          if (++told === 2) await first.terminate();
        },
      },
    );
    expect(run.outputs.map(({ target }) => target)).toEqual(trees);
    const lost = new Set(run.errors.map(({ target }) => target));
    for (const [index, facts] of run.outputs.entries()) {
      if (lost.has(facts.target)) expect(verdict(facts)).not.toBe('clean');
      else expect(verdict(facts)).toBe(index % 3 === 0 ? 'contaminated' : 'clean');
    }
  });

  it('and the last of them leaves every target not clean', async () => {
    const workers = [workerThat('process.exit(1)'), workerThat("throw new Error('oh')")];
    const run = await runEngine({ targets: trees }, { workers });
    expectNoTargetForgotten(run, trees);
    expect(new Set(verdicts(run))).toEqual(new Set(['incomplete']));
    expect(new Set(run.errors.map(({ target }) => target))).toEqual(new Set(trees));
  });

  it('before there was anything to do is no loss while another lives', async () => {
    const dead = workerThat('');
    await dead.terminate();
    const run = await runEngine({ targets: trees }, { workers: [dead, ...startWorkers(1)] });
    expect([run.errors, verdictOf(run)]).toEqual([[], 'contaminated']);
  });

  it('before there was anything to do, as all of them, is an error of every target', async () => {
    const dead = [workerThat(''), workerThat('')];
    await Promise.all(dead.map((worker) => worker.terminate()));
    expectNoTargetForgotten(await runEngine({ targets: trees }, { workers: dead }), trees);
  });

  it('while it loads is told before a target is lost to it', async () => {
    const { Worker } = await import('node:worker_threads');
    const broken = new Worker("throw new Error('cannot be loaded')", { eval: true });
    const run = await runEngine({ targets: trees }, { workers: [broken] });
    expectNoTargetForgotten(run, trees);
  });
});

describe('a run that is ended', () => {
  it('by a worker in this thread whose time is over, has a gap in every target', async () => {
    const { outputs } = await runEngine(
      { targets: trees },
      { workers: [new LocalWorker({ isOver: () => true, hasty: true })] },
    );
    expect(outputs.map(({ target }) => target)).toEqual(trees);
    for (const facts of outputs) expect(gapDetails(facts).join()).toMatch(/limit-time/);
  });

  it('tells every target, and a gap where not everything was inspected', async () => {
    const controller = new AbortController();
    // a worker that never answers stands for one that is at a large file
    const workers = [workerThat(''), ...startWorkers(1)];
    const run = runEngine({ targets: trees }, { workers, signal: controller.signal });
    await once(workers[1] as (typeof workers)[number], 'message');
    controller.abort();
    const { outputs, errors } = await run;
    expect(errors).toEqual([]);
    expect(outputs.map(({ target }) => target)).toEqual(trees);
    expect(gapDetails(outputs[0] as OutputFacts)).toEqual([
      'limit-time: the scan was ended before everything was inspected',
    ]);
    for (const facts of outputs) {
      if (facts.gaps.length === 0) expect(facts.stats.files).toBe(41);
      else expect(verdict(facts)).not.toBe('clean');
    }
  });

  it('has no clean output when it was ended before it began', async () => {
    const run = await runEngine({ targets: trees }, { signal: AbortSignal.abort() });
    expect(run.outputs.map(({ target }) => target)).toEqual(trees);
    expect(verdicts(run)).not.toContain('clean');
  });
});

describe('more homes than can be searched for', () => {
  it('are an error that says so, and no output is clean', async () => {
    const homes = Array.from({ length: 2000 }, (_, index) => `/gpfs/${10_000 + index}`);
    const run = await runEngine({ targets: trees.slice(0, 2), homes });
    expect(new Set(run.errors.map(({ code }) => code))).toEqual(new Set(['NEEDLES_TOO_MANY']));
    expect(verdicts(run)).toEqual(['incomplete', 'incomplete']);
  });
});

describe('a report that cannot be written', () => {
  it('ends the scan with that fault', async () => {
    const failing = runEngine({ targets: trees }, { output: () => Promise.reject(new Error('disk full')) });
    await expect(failing).rejects.toThrow('disk full');
  });
});

describe('the same facts', () => {
  const fixtures = join(ROOT, 'fixtures');

  it('come of any number of workers, at any time', async () => {
    const leaks = readdirSync(join(fixtures, 'leaks')).map((name) => join(fixtures, 'leaks', name));
    const malformed = readdirSync(join(fixtures, 'malformed')).map((name) =>
      join(fixtures, 'malformed', name),
    );
    const targets = [...leaks, fixtures, join(folder, 'missing'), ...malformed, ...trees, join(ROOT, 'src')];
    const expected = timeless(await runEngine({ targets }, { jobs: 1 }));
    for (const jobs of [1, 2, 4])
      expect([jobs, timeless(await runEngine({ targets }, { jobs }))]).toEqual([jobs, expected]);
    // and of this thread, beside others or not, whatever else it has to do
    for (const threads of [0, 1]) {
      const turns = new EagerTurns();
      const workers = [new LocalWorker({ turns: () => turns }), ...startWorkers(threads)];
      expect([threads, timeless(await runEngine({ targets }, { workers }))]).toEqual([threads, expected]);
      expect(turns.passed).toBeGreaterThan(targets.length / 4);
    }
  });

  it('come while other things are done between any two files', async () => {
    const tree = join(folder, 'thirty');
    mkdirSync(tree);
    for (let count = 0; count < 30; count++) writeFileSync(join(tree, `${count}`), `file ${count}\n`);
    const turns = new EagerTurns();
    const run = await runEngine({ targets: [tree] }, { workers: [new LocalWorker({ turns: () => turns })] });
    expect(run.outputs[0]?.stats.files).toBe(30);
    expect(turns.passed).toBeGreaterThan(30);
  });

  it('come of a long file that is read while other things are done', async () => {
    const tree = join(folder, 'long');
    mkdirSync(tree);
    const inside = gzipSync(Buffer.concat([Buffer.alloc(3 << 20), Buffer.from(LEAK)]));
    writeFileSync(
      join(tree, 'long'),
      Buffer.concat([Buffer.alloc(9 << 20, 'x\n'), Buffer.from(LEAK), inside]),
    );
    linkSync(join(tree, 'long'), join(tree, 'too'));
    const expected = await runEngine({ targets: [tree] });
    expect(expected.outputs[0]?.findings).toHaveLength(4);
    const turns = new EagerTurns();
    const run = await runEngine({ targets: [tree] }, { workers: [new LocalWorker({ turns: () => turns })] });
    expect(timeless(run)).toEqual(timeless(expected));
    // between its chunks, and between those of what it holds
    expect(turns.passed).toBeGreaterThan(2 * 18);
  });

  it('come of a worker in this thread', async () => {
    const workers = [new LocalWorker({ hasty: true })];
    expect(timeless(await runEngine({ targets: trees }, { workers }))).toEqual(
      timeless(await runEngine({ targets: trees })),
    );
  });

  it('come of a store path alone and beside others', async () => {
    const storeDir = join(folder, 'store');
    const path = (number: number): string => join(storeDir, `${hashed(number)}-x`);
    for (let number = 0; number < 40; number++) {
      mkdirSync(path(number), { recursive: true });
      // another path's hash, behind prefixes that are a leak for one's own hash only
      const other = hashed((number + 1) % 40);
      writeFileSync(join(path(number), 'other'), `/mnt/nix/store/${other}-x /nix/store/${other}-x\n`);
      writeFileSync(join(path(number), 'own'), `/mnt/nix/store/${hashed(number)}-x\n`);
      symlinkSync(`/elsewhere/store/${other}-x`, join(path(number), 'link'));
    }
    const facts = async (count: number): Promise<unknown> => {
      const targets = Array.from({ length: count }, (_, number) => path(number));
      const [output] = (await runEngine({ targets, storeDir })).outputs;
      return output?.findings.map(({ location, rule, severity, alias }) =>
        [location.entry, location.offset, rule, severity, alias].join(' '),
      );
    };
    const alone = await facts(1);
    expect({ count: 2, facts: await facts(2) }).toEqual({ count: 2, facts: alone });
    expect({ count: 40, facts: await facts(40) }).toEqual({ count: 40, facts: alone });
  });

  it('come of one tree that several workers share', async () => {
    const wide = join(folder, 'wide');
    for (let index = 0; index < 300; index++) {
      mkdirSync(join(wide, `${index % 7}/${index}`), { recursive: true });
      writeFileSync(join(wide, `${index % 7}/${index}/file`), index % 10 === 0 ? LEAK : 'x');
    }
    const alone = await runEngine({ targets: [wide] }, { jobs: 1 });
    expect(alone.outputs[0]?.findings).toHaveLength(30);
    for (const jobs of [2, 4]) {
      expect(timeless(await runEngine({ targets: [wide] }, { jobs }))).toEqual(timeless(alone));
    }
  });
});

describe('a store dir that lies in a home', () => {
  it('is allowed, the rest of that home is not', async () => {
    const storeDir = '/home/noamyr/nix/store';
    const path = join(folder, `${hashed(1)}-x`);
    mkdirSync(path);
    const allowed = `${storeDir}/${hashed(2)}-lib ${storeDir}`;
    const leak = '/home/noamyr/nix/storage';
    for (const [name, text] of Object.entries({ allowed, leak })) {
      writeFileSync(join(path, name), text);
      writeFileSync(join(path, `${name}16`), Buffer.from(text, 'utf16le'));
      writeFileSync(join(path, `${name}64`), Buffer.from(text).toString('base64'));
    }
    symlinkSync(`${storeDir}/${hashed(2)}-lib/bin`, join(path, 'allowed-link'));
    symlinkSync('/home/noamyr/nix', join(path, 'leak-link'));
    const [output] = (await runEngine({ targets: [path], storeDir })).outputs;
    expect(output?.findings.map(({ location }) => location.entry)).toEqual([
      'leak',
      'leak-link',
      'leak16',
      'leak64',
    ]);
  });
});

describe('a physical place of the store that nobody named', () => {
  const ALIAS = '/gpfs/u17/q/nix/store';
  let storeDir: string;
  const made = (number: number, files: Readonly<Record<string, string | Uint8Array>>): string => {
    const path = join(storeDir, `${hashed(number)}-x`);
    mkdirSync(path, { recursive: true });
    for (const [name, content] of Object.entries(files)) writeFileSync(join(path, name), content);
    return path;
  };
  const found = ({ findings }: OutputFacts) =>
    findings.map(({ location, severity, encoding, alias }) =>
      [location.entry, severity, encoding, alias].join(' '),
    );

  beforeAll(() => void (storeDir = join(mkdtempSync(join(folder, 'aliases-')), 'store')));

  it('is found by the own hash, however it is written', async () => {
    const text = `${ALIAS}/${hashed(1)}-x/bin/y`;
    const path = made(1, {
      plain: `exec ${text}\n`,
      utf16: Buffer.from(`\0${text}\0`, 'utf16le'),
      base64: Buffer.from(`{"file":"${text}"}`).toString('base64'),
      // a store of another name
      pile: `/gpfs/pile/${hashed(1)}-x`,
    });
    const [output] = (await runEngine({ targets: [path], storeDir, homes: [] })).outputs;
    expect(found(output as OutputFacts)).toEqual([
      `base64 error base64 ${ALIAS}`,
      'pile error plain /gpfs/pile',
      `plain error plain ${ALIAS}`,
      `utf16 error utf16le ${ALIAS}`,
    ]);
  });

  it('is known to the outputs after the one that shows it, and to none before', async () => {
    const bare = (number: number) => made(number, { conf: `root=${ALIAS}\n`, other: 'root=/gpfs/pile\n' });
    const showing = made(3, {
      own: `${ALIAS}/${hashed(3)}-x /gpfs/pile/${hashed(3)}-x /usr/store/${hashed(3)}-x`,
      // another's hash says nothing of where this one lies
      other: `/elsewhere/store/${hashed(9)}-x`,
    });
    const targets = [bare(2), showing, bare(4), made(5, { conf: 'root=/elsewhere/store /usr/store' })];
    const stream = join(folder, 'bare.nar');
    writeFileSync(stream, nar(directory(['conf', file(`root=${ALIAS}/x`)])));
    const run = await runEngine({ targets: [...targets, stream], storeDir, homes: [] }, { jobs: 1 });
    expect(run.outputs.map(({ findings }) => findings.length)).toEqual([0, 4, 1, 0, 1]);
    expect(found(run.outputs[2] as OutputFacts)).toEqual([`conf error plain ${ALIAS}`]);
    for (const jobs of [2, 4]) {
      const again = await runEngine({ targets: [...targets, stream], storeDir, homes: [] }, { jobs });
      expect(timeless(again)).toEqual(timeless(run));
    }
  });
});

describe('targets', () => {
  it('given twice are told twice', async () => {
    const [tree = ''] = trees;
    const { outputs } = await runEngine({ targets: [tree, tree] });
    expect(outputs.map(({ target, findings }) => [target, findings.length])).toEqual([
      [tree, 1],
      [tree, 1],
    ]);
  });

  it('of all kinds are told in their order', async () => {
    const stream = join(folder, 'stream.nar');
    writeFileSync(stream, nar(directory(['file', file(LEAK)])));
    const targets = [trees[1] as string, stream, trees[2] as string, stream, trees[0] as string];
    const run = await runEngine({ targets }, { jobs: 3 });
    expect(run.outputs.map(({ target }) => target)).toEqual(targets);
    expect(verdicts(run)).toEqual(['clean', 'contaminated', 'clean', 'contaminated', 'contaminated']);
  });
});
