import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { FactsKey, Ledger, ScanRecord } from '../../src/ledger/ledger.ts';
import { anyFinding, anyGap } from '../report/arbitraryFacts.ts';
import { recordOf } from './records.ts';

/** One kind of ledger, as the contract drives it. */
export interface Store {
  /** A fresh one, with nothing in it. */
  begin(): Promise<void>;
  /** The same one, opened once more. */
  open(): Promise<Ledger>;
  /** Starts `writer.ts` on the same one. */
  readonly writer: (prefix: string, count: number) => readonly string[];
  end(): Promise<void>;
}

const LOOKED_UP = 2000;

/** Runs the writer and resolves with the numbers of the records that it had acknowledged. */
async function written(
  store: Store,
  prefix: string,
  count: number,
  killAfter?: number,
): Promise<readonly number[]> {
  const child = spawn(process.execPath, store.writer(prefix, count), {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const closed = once(child, 'close');
  if (killAfter !== undefined) {
    while (!output.includes('\n') && child.exitCode === null) await pause(2);
    await pause(killAfter);
    child.kill('SIGKILL');
  }
  const [status] = await closed;
  if (killAfter === undefined) expect([prefix, status]).toEqual([prefix, 0]);
  return output.split('\n').slice(0, -1).map(Number);
}

/** What every ledger must do. */
export function ledgerContract(name: string, store: Store): void {
  describe(`a ledger in ${name}`, () => {
    let ledger: Ledger;

    beforeEach(async () => {
      await store.begin();
      ledger = await store.open();
    });

    afterEach(async () => {
      await ledger.close();
      await store.end();
    });

    const factsOf = async (...keys: readonly FactsKey[]) => [...(await ledger.facts(keys)).values()];
    const reopen = async (): Promise<void> => {
      await ledger.close();
      ledger = await store.open();
    };

    it('knows nothing at first', async () => {
      const { key, path } = recordOf('a', 1);
      expect(await factsOf(key)).toEqual([]);
      expect(await ledger.narHashes([path])).toEqual(new Map());
      expect(await ledger.history(path.storePath)).toEqual([]);
      expect(await ledger.trailHead()).toBeNull();
    });

    it('gives back what it was given, and only by the whole key', async () => {
      const record = recordOf('a', 1);
      await ledger.remember(record);
      const { key, path, facts } = record;
      const told = { ...facts, target: '', narHash: key.narHash };
      expect(await ledger.facts([key])).toEqual(new Map([[key, told]]));
      expect(await factsOf({ ...key, context: `${key.context}x` })).toEqual([]);
      expect(await factsOf({ ...key, narHash: recordOf('b', 1).key.narHash })).toEqual([]);
      expect(await ledger.narHashes([path])).toEqual(new Map([[path.storePath, path.narHash]]));
      expect(await ledger.narHashes([{ ...path, stamp: `${path.stamp} ` }])).toEqual(new Map());
      await reopen();
      expect(await factsOf(key)).toEqual([told]);
    });

    it('gives back any facts as they were', async () => {
      // where a text comes from is found anew each time
      const untraced = anyFinding.map((traced) => {
        const { source: _, ...finding } = traced;
        return finding;
      });
      const facts = fc.record({ findings: fc.array(untraced), gaps: fc.array(anyGap) });
      let number = 0;
      await fc.assert(
        fc.asyncProperty(facts, async (some) => {
          const record = recordOf('any', number++);
          const kept = { ...record, facts: { ...record.facts, ...some } };
          await ledger.remember(kept);
          expect(await factsOf(record.key)).toEqual([
            { ...kept.facts, target: '', narHash: record.key.narHash },
          ]);
        }),
        { numRuns: 30 },
      );
    });

    it('keeps the facts of every context, and the last content of a path', async () => {
      const first = recordOf('a', 1);
      const second = { ...first, key: { ...first.key, context: 'other' }, at: 2 };
      const changed = { ...recordOf('a', 2), at: 3 };
      const now = { ...changed, path: { ...changed.path, storePath: first.path.storePath } };
      for (const record of [first, second, now]) await ledger.remember(record);
      expect(await factsOf(first.key, second.key, now.key)).toHaveLength(3);
      expect(await ledger.narHashes([first.path])).toEqual(new Map());
      expect(await ledger.narHashes([now.path])).toEqual(new Map([[now.path.storePath, now.path.narHash]]));
      const history = await ledger.history(first.path.storePath);
      expect(history.map(({ key, at }) => [key, at])).toEqual([
        [now.key, 3],
        [second.key, 2],
        [first.key, first.at],
      ]);
      expect(history[2]).toEqual({
        key: first.key,
        path: first.path,
        version: first.version,
        at: first.at,
        by: first.by,
      });
    });

    it('keeps facts without a path', async () => {
      const record: ScanRecord = { ...recordOf('a', 1), path: null };
      await ledger.remember(record);
      expect(await factsOf(record.key)).toHaveLength(1);
    });

    it('remembers the furthest head of the trail, whoever saw it', async () => {
      const other = await store.open();
      await ledger.sawTrailHead({ sequence: 7, hash: 'seven' });
      await other.sawTrailHead({ sequence: 6, hash: 'six' });
      expect(await other.trailHead()).toEqual({ sequence: 7, hash: 'seven' });
      await other.sawTrailHead({ sequence: 8, hash: 'eight' });
      await other.close();
      expect(await ledger.trailHead()).toEqual({ sequence: 8, hash: 'eight' });
    });

    it('takes what is still under way along when it is closed', async () => {
      const records = Array.from({ length: 50 }, (_, index) => recordOf('late', index));
      const all = Promise.all(records.map((record) => ledger.remember(record)));
      await ledger.close();
      await all;
      ledger = await store.open();
      expect(await factsOf(...records.map(({ key }) => key))).toHaveLength(50);
    });

    it('is written by many processes at once, and nothing is lost', async () => {
      const prefixes = ['a', 'b', 'c', 'd', 'e', 'f'];
      const count = 120;
      const acknowledged = await Promise.all(prefixes.map((prefix) => written(store, prefix, count)));
      expect(acknowledged.map(({ length }) => length)).toEqual(prefixes.map(() => count));
      const keys = prefixes.flatMap((prefix) =>
        Array.from({ length: count }, (_, index) => recordOf(prefix, index).key),
      );
      expect(await factsOf(...keys)).toHaveLength(keys.length);
    });

    it('has what it acknowledged after its writers were killed at any moment', async () => {
      for (const killAfter of [0, 3, 17, 60]) {
        const prefixes = ['a', 'b', 'c'].map((prefix) => `${prefix}${killAfter}`);
        const acknowledged = await Promise.all(
          prefixes.map((prefix) => written(store, prefix, 100_000, killAfter)),
        );
        await reopen();
        for (const [index, prefix] of prefixes.entries()) {
          const numbers = acknowledged[index] ?? [];
          expect(numbers.length).toBeGreaterThan(0);
          const keys = numbers.map((number) => recordOf(prefix, number).key);
          expect(await factsOf(...keys)).toHaveLength(numbers.length);
        }
      }
    });

    it('looks up known paths in no time worth the name', async () => {
      const records = Array.from({ length: LOOKED_UP }, (_, index) => recordOf('many', index));
      await Promise.all(records.map((record) => ledger.remember(record)));
      await reopen();
      const started = performance.now();
      const narHashes = await ledger.narHashes(records.map(({ path }) => path));
      const facts = await ledger.facts(records.map(({ key }) => key));
      const each = ((performance.now() - started) * 1000) / LOOKED_UP;
      expect([narHashes.size, facts.size]).toEqual([LOOKED_UP, LOOKED_UP]);
      console.log(`${name}: ${LOOKED_UP} known paths, ${each.toFixed(0)} µs each`);
    });
  });
}
