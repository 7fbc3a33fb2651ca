import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Catalog } from '../../../src/admission/catalog.ts';
import { hashOf, publishedPath, receivedNar } from './records.ts';

/** One kind of catalog, as the contract drives it. */
export interface CatalogStore {
  /** A fresh one, with nothing in it. */
  begin(): Promise<void>;
  /** The same one, opened once more. */
  open(): Promise<Catalog>;
  end(): Promise<void>;
}

const HOUR = 3_600_000;

/** What every catalog must do. */
export function catalogContract(name: string, store: CatalogStore): void {
  describe(`a catalog in ${name}`, () => {
    let catalog: Catalog;

    beforeEach(async () => {
      await store.begin();
      catalog = await store.open();
    });

    afterEach(async () => {
      await catalog.close();
      await store.end();
    });

    const reopen = async (): Promise<void> => {
      await catalog.close();
      catalog = await store.open();
    };

    it('has nothing at first', async () => {
      const path = publishedPath('a');
      expect(await catalog.received(path.narName)).toBeNull();
      expect(await catalog.receivedFiles()).toEqual(new Set());
      expect(await catalog.refused(path.fileHash)).toBeNull();
      expect(await catalog.published(path.hashPart)).toBeNull();
      expect(await catalog.publishedNar(path.narName)).toBeNull();
      expect(await catalog.publishedAmong([path.storePath])).toEqual(new Set());
      expect(await catalog.publishedPaths(10)).toEqual([]);
      expect(await catalog.homes('builder')).toEqual([]);
      expect(await catalog.approvals()).toEqual([]);
      expect(await catalog.object('log/a.drv')).toBeNull();
      expect(await catalog.awaiting(path.narName)).toEqual([]);
    });

    it('knows what was received until it is published, and after it was opened again', async () => {
      const nar = receivedNar('a');
      await catalog.receive(nar);
      await catalog.receive({ ...nar, by: 'another' });
      await reopen();
      expect(await catalog.received(nar.name)).toEqual({ ...nar, by: 'another' });
      expect(await catalog.receivedFiles()).toEqual(new Set([nar.file]));
      await catalog.publish(publishedPath('a'));
      expect(await catalog.received(nar.name)).toBeNull();
      expect(await catalog.receivedFiles()).toEqual(new Set());
    });

    it('forgets what waited too long, with its debuginfo, and tells the files', async () => {
      const [old, young] = [receivedNar('old', 10), receivedNar('young', 20)];
      await catalog.receive(old);
      await catalog.receive(young);
      await catalog.awaitNar(old.name, 'debuginfo/1', 'lib/debug/1');
      expect(await catalog.forgetReceived(20)).toEqual([old.file]);
      expect(await catalog.received(old.name)).toBeNull();
      expect(await catalog.received(young.name)).toEqual(young);
      expect(await catalog.awaiting(old.name)).toHaveLength(1);
      expect(await catalog.forgetReceived(Date.now() + HOUR)).toEqual([young.file]);
      expect(await catalog.awaiting(old.name)).toEqual([]);
    });

    it('knows what was refused until that is forgotten', async () => {
      const refused = {
        fileHash: hashOf('bad'),
        narHash: null,
        id: 'q1',
        status: 403,
        line: 'nar-scan: contaminated',
        judgedBy: 'rules 1',
        at: 5,
      } as const;
      await catalog.refuse(refused);
      const again = {
        ...refused,
        narHash: hashOf('nar bad'),
        id: null,
        status: 422,
        judgedBy: 'rules 2',
      } as const;
      await catalog.refuse(again);
      await reopen();
      expect(await catalog.refused(refused.fileHash)).toEqual(again);
    });

    it('gives back what was published, by its hash part and by its NAR', async () => {
      const path = publishedPath('a');
      expect(await catalog.publish(path)).toEqual(path);
      await reopen();
      expect(await catalog.published(path.hashPart)).toEqual(path);
      expect(await catalog.publishedNar(path.narName)).toEqual(path);
      const others = [publishedPath('b').storePath, `${path.storePath}-of-another-name`];
      expect(await catalog.publishedAmong([...others, path.storePath])).toEqual(new Set([path.storePath]));
      const clean = async (verdict: string) =>
        await catalog.publishedAmong([path.storePath], (found) => found.verdict === verdict);
      expect([(await clean('clean')).size, (await clean('held')).size]).toEqual([1, 0]);
    });

    it('publishes the same content anew: its narinfo may gain signatures', async () => {
      await catalog.publish(publishedPath('a'));
      const signed = publishedPath('a', { narInfo: 'Sig: x', at: 2 });
      expect(await catalog.publish(signed)).toEqual(signed);
      expect(await catalog.published(signed.hashPart)).toEqual(signed);
    });

    it('keeps the first content of a store path', async () => {
      const first = publishedPath('a');
      await catalog.publish(first);
      expect(await catalog.publish(publishedPath('a', { content: 'other' }))).toEqual(first);
      expect(await catalog.publish({ ...publishedPath('a'), storePath: `${first.storePath}-x` })).toEqual(
        first,
      );
      expect(await catalog.published(first.hashPart)).toEqual(first);
      expect(await catalog.publishedNar(receivedNar('other').name)).toBeNull();
    });

    describe('of what a dry run let in', () => {
      const LEAK = { content: 'leak', verdict: 'contaminated' } as const;
      const unserved = publishedPath('a', LEAK);

      it('has another content in its place when that is admitted, and nothing of the first one', async () => {
        await catalog.publish(unserved);
        const clean = publishedPath('a', { content: 'clean' });
        expect(await catalog.inTheWay(clean)).toBeNull();
        expect(await catalog.publish(clean)).toEqual(clean);
        expect(await catalog.published(clean.hashPart)).toEqual(clean);
        expect(await catalog.publishedNar(unserved.narName)).toBeNull();
        expect(await catalog.publishedNar(clean.narName)).toEqual(clean);
        const open = publishedPath('b', { content: 'o', verdict: 'incomplete', isUninspected: true });
        await catalog.publish(publishedPath('b', LEAK));
        expect(await catalog.publish(open)).toEqual(open);
        await reopen();
        expect(await catalog.published(open.hashPart)).toEqual(open);
      });

      it('keeps the first one where the other one is no better', async () => {
        await catalog.publish(unserved);
        const other = publishedPath('a', { content: 'gaps', verdict: 'incomplete' });
        expect(await catalog.inTheWay(other)).toEqual(unserved);
        expect(await catalog.publish(other)).toEqual(unserved);
        expect(await catalog.published(unserved.hashPart)).toEqual(unserved);
      });

      it.each(['clean', 'released', 'incomplete'] as const)(
        'never puts anything in the place of what is %s and was admitted',
        async (verdict) => {
          const first = publishedPath('a', { verdict, isUninspected: verdict === 'incomplete' });
          await catalog.publish(first);
          for (const made of [LEAK, { content: 'clean' }]) {
            expect(await catalog.inTheWay(publishedPath('a', made))).toEqual(first);
            expect(await catalog.publish(publishedPath('a', made))).toEqual(first);
          }
          expect(await catalog.published(first.hashPart)).toEqual(first);
        },
      );

      const UNSERVED = [
        ['contaminated', false],
        ['incomplete', true],
      ] as const;

      it.each(UNSERVED)(
        'knows the same NAR as clean when it is %s later (%s)',
        async (verdict, isUninspected) => {
          const first = publishedPath('a');
          await catalog.publish(first);
          expect(await catalog.publish(publishedPath('a', { verdict, isUninspected, at: 2 }))).toEqual(first);
          expect(await catalog.published(first.hashPart)).toEqual(first);
        },
      );

      it.each(UNSERVED)(
        'knows the same content as %s (%s) where other bytes are served with it: what packs it, or its narinfo',
        async (verdict, isUninspected) => {
          for (const [name, other] of Object.entries({ a: { packed: 'gzip' }, b: { narInfo: 'Sig: x' } })) {
            const later = publishedPath(name, { ...other, verdict, isUninspected, at: 2 });
            await catalog.publish(publishedPath(name));
            expect(await catalog.publish(later)).toEqual(later);
            expect(await catalog.published(later.hashPart)).toEqual(later);
          }
        },
      );

      it.each(UNSERVED)(
        'does not publish what was %s (%s) beside the same content packed otherwise, which is admitted',
        async (verdict, isUninspected) => {
          const first = publishedPath('a', { packed: 'gzip', verdict, isUninspected });
          await catalog.publish(first);
          const clean = publishedPath('a');
          expect(await catalog.publish(clean)).toEqual(clean);
          expect(await catalog.publishedNar(clean.narName)).toEqual(clean);
          expect(await catalog.publishedNar(first.narName)).toBeNull();
        },
      );

      it('knows what was not inspected as what it was found to be later', async () => {
        await catalog.publish(publishedPath('a', { verdict: 'incomplete', isUninspected: true }));
        const found = publishedPath('a', { verdict: 'contaminated' });
        expect(await catalog.publish(found)).toEqual(found);
        expect(await catalog.publish(publishedPath('a'))).toEqual(publishedPath('a'));
      });
    });

    it('keeps the first content of a name of a NAR', async () => {
      const first = publishedPath('a');
      await catalog.publish(first);
      const claims = publishedPath('b');
      expect(await catalog.publish({ ...claims, narName: first.narName })).toEqual(first);
      expect(await catalog.published(claims.hashPart)).toBeNull();
    });

    it('serves one NAR to two store paths', async () => {
      const [a, b] = [publishedPath('a', { content: 'same' }), publishedPath('b', { content: 'same' })];
      await catalog.publish(a);
      expect(await catalog.publish(b)).toEqual(b);
      expect(await catalog.publishedAmong([a.storePath, b.storePath])).toEqual(
        new Set([a.storePath, b.storePath]),
      );
    });

    it('still serves the NAR of an older narinfo', async () => {
      const [xz, zstd] = [publishedPath('a'), publishedPath('a', { packed: 'zstd' })];
      await catalog.publish(xz);
      expect(await catalog.publish(zstd)).toEqual(zstd);
      expect(await catalog.publishedNar(zstd.narName)).toEqual(zstd);
      const { narName, fileHash, fileSize } = xz;
      expect(await catalog.publishedNar(xz.narName)).toEqual({ ...zstd, narName, fileHash, fileSize });
    });

    it('lists what is published page by page, the latest first, whatever was published at once', async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.nat(3), { maxLength: 8 }),
          fc.integer({ min: 1, max: 4 }),
          async (times, most) => {
            await store.end();
            await store.begin();
            await reopen();
            const paths = times.map((at, number) => publishedPath(`p${number}`, { at }));
            for (const path of paths) await catalog.publish(path);
            const listed = [];
            for (let page = await catalog.publishedPaths(most); page.length > 0;) {
              expect(page.length).toBeLessThanOrEqual(most);
              listed.push(...page);
              page = await catalog.publishedPaths(most, page.at(-1));
            }
            expect(listed.map(({ at }) => at)).toEqual(times.toSorted((a, b) => b - a));
            expect(new Set(listed.map(({ storePath }) => storePath))).toEqual(
              new Set(paths.map((p) => p.storePath)),
            );
          },
        ),
        { numRuns: 10 },
      );
    });

    it('only ever adds homes to a token', async () => {
      await catalog.addHomes('builder', ['/home/noamyr', '/home/alice']);
      await catalog.addHomes('builder', ['/home/alice']);
      await catalog.addHomes('other', []);
      await reopen();
      expect(await catalog.homes('builder')).toEqual(['/home/alice', '/home/noamyr']);
      expect(await catalog.homes('other')).toEqual([]);
    });

    it('settles a home once', async () => {
      const approval = { home: '/home/alice', reason: 'documentation', actor: 'noamyr', at: 3 };
      await catalog.approve(approval);
      await catalog.approve({ ...approval, reason: 'another' });
      await reopen();
      expect(await catalog.approvals()).toEqual([approval]);
    });

    it('keeps the first value of an object', async () => {
      expect(await catalog.putObject('log/a.drv', Buffer.from('one'), 'text/plain')).toBe(true);
      expect(await catalog.putObject('log/a.drv', Buffer.from('one'), 'text/plain')).toBe(true);
      expect(await catalog.putObject('log/a.drv', Buffer.from('two'), 'text/plain')).toBe(false);
      expect(await catalog.putObject('log/empty.drv', new Uint8Array(), 'text/plain')).toBe(true);
      await reopen();
      expect(await catalog.object('log/a.drv')).toEqual({ bytes: Buffer.from('one'), type: 'text/plain' });
      expect(await catalog.object('log/empty.drv')).toEqual({ bytes: Buffer.alloc(0), type: 'text/plain' });
    });

    it('gives an object another value in the place of just the one that is to give way', async () => {
      const name = 'debuginfo/1';
      const put = async (value: string, stale: string) =>
        await catalog.putObject(name, Buffer.from(value), 'text/plain', Buffer.from(stale));
      expect(await put('one', 'none')).toBe(true);
      expect(await put('two', 'none')).toBe(false);
      expect(await put('two', 'one')).toBe(true);
      expect((await catalog.object(name))?.bytes.toString()).toBe('two');
    });

    it('remembers debuginfo until its NAR is published', async () => {
      const { name: nar } = receivedNar('a');
      await catalog.awaitNar(nar, 'debuginfo/1', 'lib/debug/1');
      await catalog.awaitNar(nar, 'debuginfo/1', 'lib/debug/1');
      await catalog.awaitNar(nar, 'debuginfo/2', 'lib/debug/2');
      expect(await catalog.awaiting(nar)).toEqual([
        { object: 'debuginfo/1', member: 'lib/debug/1' },
        { object: 'debuginfo/2', member: 'lib/debug/2' },
      ]);
    });

    it('counts admissions by the hour, hours without any among them', async () => {
      const now = 1000 * HOUR + 123;
      const tell = async (at: number, outcome: 'admitted' | 'refused' | 'held'): Promise<void> =>
        await catalog.tell({ at, outcome, bytes: 10, milliseconds: 1 });
      await tell(now, 'admitted');
      await tell(now - 100, 'admitted');
      await tell(now - 2 * HOUR, 'refused');
      await tell(now - 24 * HOUR, 'held');
      await reopen();
      const hours = await catalog.hours(24, now);
      const nothing = { admitted: 0, refused: 0, held: 0, incomplete: 0, malformed: 0, bytes: 0 };
      expect(hours).toHaveLength(24);
      expect(hours.at(-1)).toEqual({ ...nothing, from: 1000 * HOUR, admitted: 2, bytes: 20 });
      expect(hours.at(-3)).toEqual({ ...nothing, from: 998 * HOUR, refused: 1, bytes: 10 });
      expect(hours.at(-2)).toEqual({ ...nothing, from: 999 * HOUR });
      expect(hours[0]).toEqual({ ...nothing, from: 977 * HOUR });
    });

    it('publishes one of many contents that come at once', async () => {
      const paths = Array.from({ length: 20 }, (_, number) => publishedPath('a', { content: `c${number}` }));
      const published = await Promise.all(paths.map((path) => catalog.publish(path)));
      const [winner] = published;
      expect(new Set(published.map(({ narHash }) => narHash)).size).toBe(1);
      expect(await catalog.published(publishedPath('a').hashPart)).toEqual(winner);
    });
  });
}
