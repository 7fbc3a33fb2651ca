import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { DiskSpools } from '../../src/sources/spool.ts';

const MiB = 1024 * 1024;
const pattern = (length: number, from = 0): Buffer =>
  Buffer.from(Array.from({ length }, (_, index) => ((from + index) * 131) & 0xff));

it('a spool gives back any range of what was added, from memory and from its file', () => {
  const spools = new DiskSpools({ memoryBytes: 2 * MiB, fileBytes: 8 * MiB });
  const bytes = pattern(5 * MiB);
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 2 * MiB }), { minLength: 1, maxLength: 8 }),
      fc.array(fc.tuple(fc.nat(5 * MiB), fc.nat(3 * MiB)), { maxLength: 8 }),
      (sizes, ranges) => {
        const spool = spools.open();
        let at = 0;
        for (const size of sizes) {
          const part = bytes.subarray(at, at + size);
          spool.add(part);
          at += part.length;
        }
        const reader = spool.reader(1000, 1000 + at);
        expect(spool.complete).toBe(true);
        for (const [from, length] of ranges) {
          const wanted = from + length <= at ? bytes.subarray(from, from + length) : null;
          const got = reader.read(1000 + from, length);
          expect(got === null ? null : Buffer.compare(got, wanted ?? Buffer.alloc(0))).toBe(
            wanted === null ? null : 0,
          );
        }
        expect(reader.read(999, 1)).toBe(null);
        spool.close();
      },
    ),
    { numRuns: 30 },
  );
});

it('a spool that had no room for all says so, and gives its room back', () => {
  const spools = new DiskSpools({ memoryBytes: MiB, fileBytes: MiB });
  for (let turn = 0; turn < 3; turn++) {
    const spool = spools.open();
    spool.add(pattern(MiB));
    spool.add(pattern(MiB));
    expect(spool.complete).toBe(true);
    spool.add(pattern(1));
    expect(spool.complete).toBe(false);
    spool.close();
  }
});

it('a spool leaves nothing in the folder of temporary files', () => {
  const seen = (): number =>
    readdirSync(tmpdir()).filter((name) => name.startsWith('nar-scan-spool-')).length;
  const before = seen();
  const spool = new DiskSpools({ memoryBytes: 0, fileBytes: MiB }).open();
  spool.add(pattern(1000));
  expect(seen()).toBe(before);
  spool.close();
  expect(seen()).toBe(before);
});
