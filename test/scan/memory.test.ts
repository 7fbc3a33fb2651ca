import { spawnSync } from 'node:child_process';
import { appendFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { OutputFacts } from '../../src/model/facts.ts';
import type { FactMemory, MemoryQuery, RunConditions } from '../../src/scan/memory.ts';
import { runEngine, timeless, workerThat } from '../support/engineRun.ts';
import { MadeStore } from '../support/madeStore.ts';
import { startWorkers } from '../../src/scan/thread.ts';

const LEAK = 'prefix=/home/noamyr/x\n';
const ALIAS = '/gpfs/u17/q/nix/store';

/** A memory in memory, which notes what it is asked. */
class Notes implements FactMemory {
  readonly known = new Map<string, OutputFacts>();
  /** Names of what was asked together. */
  readonly asked: (readonly string[])[] = [];
  readonly kept: string[] = [];
  closed = 0;
  conditions: RunConditions | null = null;

  recall(queries: readonly MemoryQuery[]): Promise<ReadonlyMap<MemoryQuery, OutputFacts>> {
    this.asked.push(queries.map(nameOf));
    const found = new Map<MemoryQuery, OutputFacts>();
    for (const query of queries) {
      const facts = this.known.get(nameOf(query));
      if (facts !== undefined) found.set(query, { ...facts, target: '' });
    }
    return Promise.resolve(found);
  }

  remember(query: MemoryQuery, facts: OutputFacts & { readonly narHash: string }): void {
    this.kept.push(nameOf(query));
    this.known.set(nameOf(query), facts);
  }

  close(): Promise<void> {
    this.closed++;
    return Promise.resolve();
  }

  readonly open = (conditions: RunConditions): FactMemory => {
    this.conditions = conditions;
    return this;
  };
}

const nameOf = ({ info, aliases }: MemoryQuery): string =>
  [info.storePath.slice(-34, -30), ...aliases].join(' ');

let store: MadeStore;
let notes: Notes;

beforeEach(() => {
  store = new MadeStore();
  notes = new Notes();
});
afterEach(() => store[Symbol.dispose]());

const run = (targets: readonly string[], memory?: Notes, jobs = 2) =>
  runEngine(
    { targets, storeDir: store.storeDir, ...(memory === undefined ? {} : { memory: memory.open }) },
    { jobs },
  );

describe('a scan with a memory', () => {
  it('asks for all at once, and scans and keeps what is not known', async () => {
    const first = store.add(1, { 'bin/x': LEAK, text: 'nothing' });
    const second = store.add(2, { text: 'nothing' }, [1]);
    const plain = await run([first, second]);
    const scanned = await run([first, second], notes);
    expect(notes.asked).toEqual([['0001', '0002']]);
    expect(notes.kept.toSorted()).toEqual(['0001', '0002']);
    expect(scanned.outputs.map(({ narHash }) => narHash?.slice(0, 7))).toEqual(['sha256:', 'sha256:']);
    const unhashed = scanned.outputs.map((facts) => ({ ...facts, narHash: null }));
    expect(timeless({ outputs: unhashed, errors: [] })).toEqual(timeless(plain));
    expect([notes.closed, notes.conditions?.context.storeDir]).toEqual([1, store.storeDir]);

    const third = store.add(3, { text: LEAK });
    const again = await run([second, third, first], notes);
    expect(notes.kept.toSorted()).toEqual(['0001', '0002', '0003']);
    expect(again.outputs.map(({ target }) => target)).toEqual([second, third, first]);
    expect(again.outputs[2]?.findings).toEqual(scanned.outputs[0]?.findings);
    expect(again.outputs[0]?.stats.milliseconds).toBe(0);
  });

  it('is not opened where there is nothing to be remembered', async () => {
    const other = store.path(7);
    spawnSync('cp', ['-r', store.add(1, { text: 'x' }), other]);
    const { outputs } = await run([store.folder, other], notes);
    expect([outputs.length, outputs[1]?.narHash, notes.conditions, notes.closed]).toEqual([2, null, null, 0]);
  });

  it('asks once more, together, for those that follow an alias that was shown', async () => {
    const showing = store.add(1, { own: `${ALIAS}/${store.path(1).slice(store.storeDir.length + 1)}` });
    const others = [2, 3, 4].map((number) => store.add(number, { conf: `root=${ALIAS}\n` }));
    const targets = [showing, ...others];
    const plain = await run(targets);
    expect(plain.outputs.map(({ findings }) => findings.length)).toEqual([1, 1, 1, 1]);
    const told = async (jobs: number): Promise<unknown> => {
      const { outputs, errors } = await run(targets, notes, jobs);
      return timeless({ outputs: outputs.map((facts) => ({ ...facts, narHash: null })), errors });
    };
    expect(await told(2)).toEqual(timeless(plain));
    expect(notes.kept).toHaveLength(7);
    notes.asked.length = 0;
    for (const jobs of [1, 2]) expect(await told(jobs)).toEqual(timeless(plain));
    expect(notes.kept).toHaveLength(7);
    const asked = [
      ['0001', '0002', '0003', '0004'],
      ['0002', '0003', '0004'].map((name) => `${name} ${ALIAS}`),
    ];
    expect(notes.asked).toEqual([...asked, ...asked]);
  });

  it('that fails is an error of the run, and everything is scanned', async () => {
    const path = store.add(1, { text: 'nothing' });
    notes.recall = () => Promise.reject(new Error('no memory at all'));
    const { outputs, errors } = await run([path], notes);
    expect(outputs.map(({ stats }) => stats.files)).toEqual([1]);
    expect(errors.map(({ code, message }) => [code, message])).toEqual([['INTERNAL', 'no memory at all']]);
  });

  it('keeps nothing of what has no NAR, was tampered with, or was not scanned to its end', async () => {
    const [special, tampered, cut] = [1, 2, 3].map((number) => store.add(number, { text: 'nothing' }));
    spawnSync('mkfifo', [join(special ?? '', 'fifo')]);
    appendFileSync(join(tampered ?? '', 'text'), 'more');
    const { outputs, errors } = await run([special ?? '', tampered ?? ''], notes);
    expect(outputs.map(({ gaps }) => gaps.map(({ reason }) => reason))).toEqual([
      ['special-file'],
      ['internal'],
    ]);
    expect(errors.map(({ code, target }) => [code, target])).toEqual([['PATH_TAMPERED', tampered]]);

    const died = await runEngine(
      { targets: [cut ?? ''], storeDir: store.storeDir, memory: notes.open },
      { workers: [workerThat('process.exit(1)'), ...startWorkers(1)] },
    );
    expect(died.errors.map(({ code }) => code)).toEqual(['WORKER_DIED']);
    const ended = await runEngine(
      { targets: [cut ?? ''], storeDir: store.storeDir, memory: notes.open },
      { signal: AbortSignal.abort() },
    );
    expect(ended.outputs[0]?.gaps.map(({ reason }) => reason)).toEqual(['limit-time']);
    expect(notes.kept).toEqual([]);
  });

  it('has a gap where all files were searched, but not as one NAR that could be hashed', async () => {
    const deep = store.add(1, { text: 'nothing' });
    mkdirSync(join(deep, 'd/'.repeat(70)), { recursive: true });
    const { outputs, errors } = await run([deep], notes);
    expect(outputs.map(({ narHash, stats }) => [narHash, stats.files])).toEqual([[null, 1]]);
    expect(outputs[0]?.gaps.map(({ reason }) => reason)).toEqual(['unreadable']);
    expect([errors, notes.kept]).toEqual([[], []]);
    expect((await run([deep])).outputs[0]?.gaps).toEqual([]);
  });
});

describe('what a scan reaches', () => {
  it('is what was named, that and all it refers to, or every valid path', async () => {
    const lib = store.add(3, { text: 'lib' });
    const middle = store.add(2, { text: 'middle' }, [3]);
    const top = store.add(1, { text: 'top' }, [2]);
    const alone = store.add(4, { text: 'alone' });
    const reached = async (reach: 'named' | 'closure' | 'all', ...targets: readonly string[]) => {
      const { outputs, errors } = await runEngine({ targets, reach, storeDir: store.storeDir });
      return [outputs.map(({ target, storePath }) => (target === storePath ? target : null)), errors.length];
    };
    expect(await reached('named', top)).toEqual([[top], 0]);
    expect(await reached('closure', top)).toEqual([[top, middle, lib], 0]);
    expect(await reached('closure', alone, middle, lib)).toEqual([[alone, middle, lib], 0]);
    expect(await reached('closure', top, top)).toEqual([[top, top, middle, lib], 0]);
    expect(await reached('all')).toEqual([[top, middle, lib, alone], 0]);
    expect(await reached('closure', store.folder)).toEqual([[], 1]);
  });
});
