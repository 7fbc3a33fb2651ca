import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { said } from '../support.ts';
import { Search, SPELLINGS } from './support.ts';

const component = fc.oneof(
  fc.stringMatching(/^[a-z][a-z0-9._-]{1,9}[a-z0-9]$/),
  fc.constantFrom('zoë', 'łukasz', 'kim2', 'home', 'build-user'),
);
/** Homes under the usual roots and anywhere else. */
const home = fc
  .tuple(fc.constantFrom('/home', '/Users', '/var/home', '/gpfs', '/data/people', '/q'), component)
  .map(([root, user]) => `${root}/${user}`);
const spelling = fc.constantFrom(...SPELLINGS);
const noise = fc.uint8Array({ maxLength: 300 });

/** Ends whatever stands before: no digit of any encoding, and no part of a wide character. */
const STOP = Buffer.from('"\n\n"');

it('any home in any encoding at any place among other bytes is found where it is', () => {
  fc.assert(
    fc.property(home, spelling, noise, noise, fc.boolean(), (home, spelling, before, after, aligned) => {
      const { encode, offset } = spelling;
      const start = aligned ? before.length - (before.length % 4) : before.length;
      const head = Buffer.concat([before.subarray(0, start), STOP]);
      const text = `-L${home}/lib`;
      const content = Buffer.concat([head, encode(text), STOP, after]);
      const findings = new Search({ homes: [home] }).findings(content);
      const place = head.length + offset(2, text);
      // where nothing tells the byte order, the zeros before a character may be counted to it
      const near = findings.filter((each) => Math.abs((each.offset as number) - place) < 4);
      expect(near.map(said)).toContain(`error known-home bytes ${latin1(home)} -`);
      const isExact = near.some((each) => each.encoding === spelling.encoding && each.offset === place);
      const isWide = spelling.encoding.startsWith('utf');
      expect(isExact || (isWide && head.length % 4 !== 0) || spelling.encoding === 'base64').toBe(true);
    }),
    { numRuns: 150 },
  );
}, 60_000);

it('the pieces in which a content comes change nothing', () => {
  const search = new Search({ homes: ['/home/build', '/gpfs/u17'] });
  const part = fc.oneof(
    fc
      .tuple(spelling, fc.constantFrom('/home/build/x', '/gpfs/u17', '/home/zoe/y', 'C:\\Users\\zoe\\z'))
      .map(([{ encode }, text]) => encode(`${' '.repeat(30)}"${text}"`)),
    fc.uint8Array({ maxLength: 400 }).map((bytes) => Buffer.from(bytes)),
    fc.integer({ min: 1, max: 6000 }).map((length) => Buffer.alloc(length, 'Zm9v')),
    fc.integer({ min: 1, max: 6000 }).map((length) => Buffer.alloc(length, '%2fhome%2f')),
    fc.integer({ min: 1, max: 6000 }).map((length) => Buffer.alloc(length, 'a\0')),
  );
  const sizes = fc.array(fc.integer({ min: 1, max: 9000 }), { maxLength: 12 });
  fc.assert(
    fc.property(fc.array(part, { maxLength: 20 }), sizes, (parts, sizes) => {
      const content = Buffer.concat(parts);
      expect(search.findings(content, sizes)).toEqual(search.findings(content));
    }),
    { numRuns: 300 },
  );
});

it('a long text of nothing but encoded homes takes time in proportion', () => {
  const search = new Search();
  for (const { encode } of SPELLINGS) {
    const [small, large] = [40_000, 400_000].map((size) => {
      const content = encode('/home/zoe/x '.repeat(size / 100));
      const start = process.cpuUsage();
      search.findings(content);
      const { user, system } = process.cpuUsage(start);
      return user + system;
    });
    expect(large).toBeLessThan(40 * (small as number) + 1_000_000);
  }
});

function latin1(text: string): string {
  return Buffer.from(text).toString('latin1');
}
