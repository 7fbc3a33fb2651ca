import { describe, expect, it } from 'vitest';
import { planElf, readElf } from '../../src/formats/elf/elf.ts';
import { planMacho, readMacho } from '../../src/formats/macho/macho.ts';
import { planPe, readPe } from '../../src/formats/pe/pe.ts';
import type { Range, RangeReader, BinaryFacts } from '../../src/formats/ranges.ts';
import { LIMITS } from '../../src/model/limits.ts';
import { writeElf } from '../support/elfWriter.ts';
import { writeFat, writeMacho } from '../support/machoWriter.ts';
import { rsds, writePe } from '../support/peWriter.ts';
import { streamedReader, wholeReader } from '../support/rangeReaders.ts';

const SECONDS = Number(process.env['NAR_SCAN_FUZZ_SECONDS'] ?? 5);
const SEED = Number(process.env['NAR_SCAN_FUZZ_SEED'] ?? Date.now() % 1_000_000);

/** mulberry32: small, and the same everywhere from one seed. */
function random(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 4_294_967_296) * below);
  };
}

const strings = [1, 5, 10, 14, 15, 29, 0x6ffffefc, 0x7fffffff].map((tag): [number, string] => [
  tag,
  `/home/u/${tag}`,
]);
const packed = [
  { name: '.debug_str', bytes: new Uint8Array(40).fill(1), flags: 0x800 },
  { name: '.zdebug_line', bytes: new Uint8Array(40) },
];

interface Subject {
  readonly read: (reader: RangeReader) => BinaryFacts | null;
  readonly plan: (head: Uint8Array, size: number, tailBytes?: number) => Range[];
  readonly bytes: Uint8Array;
}

const booleans = [true, false];
const elf = booleans.flatMap((wide) =>
  booleans.flatMap((big) =>
    [{}, { extendedNumbering: true }, { notInFile: true }, { programHeaders: false }, { filler: 3000 }].map(
      (more): Subject => ({
        read: readElf,
        plan: planElf,
        bytes: writeElf({ wide, big, strings, interpreter: '/home/u/ld.so', sections: packed, ...more }),
      }),
    ),
  ),
);
const thin = booleans.flatMap((wide) =>
  booleans.map((big) =>
    writeMacho({
      wide,
      big,
      strings: [0x8000_001c, 0xe, 0x27].map((command) => ({ command, text: '/Users/u/x' })),
      sections: [{ segment: '__DWARF', name: '__zdebug_str', bytes: new Uint8Array(50) }],
    }),
  ),
);
const macho = [...thin, writeFat(thin, false), writeFat(thin, true)].map((bytes): Subject => ({
  read: readMacho,
  plan: planMacho,
  bytes,
}));

const pe = booleans.map((wide): Subject => ({
  read: readPe,
  plan: planPe,
  bytes: writePe({
    wide,
    debug: [
      { type: 2, data: rsds('/home/u/a.pdb') },
      { type: 17, data: new TextEncoder().encode('MPDB....') },
    ],
    sections: [{ name: '.zdebug_line', bytes: new Uint8Array(40) }],
    fillerBehind: 600,
  }),
}));

const SPECIAL = [0, 1, 0x7f, 0x80, 0xff];

/** Changes a few bytes, mostly among the first (headers) and last (section headers); cuts sometimes. */
function mutate(bytes: Uint8Array, below: (n: number) => number): Uint8Array {
  const copy = bytes.slice(0, below(8) === 0 ? below(bytes.length) + 1 : bytes.length);
  for (let edits = 1 + below(6); edits > 0; edits -= 1) {
    const zone = Math.min(copy.length, 512);
    const place = [below(zone), copy.length - 1 - below(zone), below(copy.length)][below(3)] ?? 0;
    const width = [1, 1, 2, 4, 8][below(5)] ?? 1;
    const value = below(2) === 0 ? (SPECIAL[below(5)] ?? 0) : below(256);
    if (below(4) === 0) copy.copyWithin(place, below(copy.length), below(copy.length));
    else copy.fill(value, place, place + width);
  }
  return copy;
}

function check({ read, plan }: Subject, bytes: Uint8Array, head: number): void {
  let asked = 0;
  const whole = wholeReader(bytes);
  const facts = read({
    size: whole.size,
    read: (offset, length) => {
      asked += length;
      return whole.read(offset, length);
    },
  });
  expect(asked).toBeLessThanOrEqual(LIMITS.binaryReadBytes);
  const planned = plan(bytes.slice(0, head), bytes.length, 64);
  expect(planned.reduce((sum, { length }) => sum + length, 0)).toBeLessThanOrEqual(LIMITS.binaryTableBytes);
  for (const [k, { offset, length }] of planned.entries()) {
    const before = planned[k - 1];
    expect(length).toBeGreaterThan(0);
    expect(offset).toBeGreaterThanOrEqual(before === undefined ? head : before.offset + before.length);
  }
  if (facts !== null) {
    expect(facts.fields.length).toBeLessThanOrEqual(LIMITS.binaryFields);
    expect(facts.faults.length).toBeLessThan(64);
    for (const { offset, length } of facts.fields) {
      expect(offset + (length ?? 1)).toBeLessThanOrEqual(bytes.length);
    }
    for (const { offset, size } of facts.sections) expect(offset + size).toBeLessThanOrEqual(bytes.length);
  }
  const streamed = read(streamedReader(bytes, plan, head, 64));
  if (streamed?.faults.some(({ kind }) => kind === 'unavailable') !== true) expect(streamed).toEqual(facts);
}

describe.each([
  ['ELF', elf],
  ['Mach-O', macho],
  ['PE', pe],
])('%s: mutated files', (_, subjects) => {
  it(
    'nothing is thrown, all is bounded, a stream gives the same facts or says that it cannot',
    { timeout: (SECONDS + 60) * 1000 },
    () => {
      const below = random(SEED);
      const end = performance.now() + (SECONDS * 1000) / 2;
      let rounds = 0;
      let slowest = 0;
      for (; performance.now() < end; rounds += 1) {
        const subject = subjects[below(subjects.length)];
        if (subject === undefined) continue;
        const bytes = mutate(subject.bytes, below);
        const started = performance.now();
        try {
          check(subject, bytes, [64, 512, bytes.length][below(3)] ?? 64);
        } catch (error) {
          const file = Buffer.from(bytes).toString('base64');
          throw new Error(`seed ${SEED}, round ${rounds}, file ${file}`, { cause: error });
        }
        slowest = Math.max(slowest, performance.now() - started);
      }
      expect(rounds).toBeGreaterThan(10);
      expect(slowest).toBeLessThan(2000);
    },
  );
});
