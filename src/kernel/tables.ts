import { ABSENT, fingerprintOf } from './bucket.ts';
import type { Kernel } from './module.ts';
import { RUN_ALPHABET, type Plan } from './plan.ts';

/** Whether numbers lie in this machine's memory as they do in WebAssembly's. */
const IS_LITTLE = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;
/** Of one candidate in the kernel's list. */
const CANDIDATE_BYTES = 4;
/** Bytes by which an entry is told at once. */
const WORD_BYTES = 8;

/** Writes a plan into the kernel's memory, in the forms that assembly/layout.ts describes. */
export function writeTables(kernel: Kernel, needles: readonly Uint8Array[], plan: Plan): void {
  const { memory, layout } = kernel;
  const view = new DataView(memory.buffer);
  let at = layout.NEEDLES;
  const addresses = needles.map((needle) => {
    memory.set(needle, at);
    at += needle.length;
    return at - needle.length;
  });
  const { second, third } = plan;
  const inBuckets = plan.strategy === 'buckets' || plan.strategy === 'anyBuckets';
  const prints = plan.fingerprints.map(({ needle, offset, bucket = 0 }) => {
    const all = needles[needle] as Uint8Array;
    const a = all[offset] as number;
    const b = all[offset + second] as number;
    const c = all[offset + third] as number;
    const slot = inBuckets
      ? kernel.exports.bucketSlot(a | (b << 8) | (c << 16))
      : (a & 15) | ((b & 15) << 4) | ((c & 15) << 8);
    return { needle, offset, bytes: inBuckets ? fingerprintOf(all, offset) : [a, b, c], slot, bucket };
  });
  if (inBuckets) writeBuckets(memory, layout.MASKS, prints);
  else writeClasses(memory, layout.CLASSES, prints, plan.strategy === 'pairs' ? 2 : 3);
  memory.fill(0, layout.FLAGS, layout.FLAGS + layout.SLOTS);
  for (const { slot } of prints) memory[layout.FLAGS + slot] = CANDIDATE_BYTES;
  memory.fill(15, layout.NIBBLE, layout.NIBBLE + 16);
  writeAlphabet(memory, layout.ALPHABET);

  const runs = plan.runs.map((needle) => {
    return { needle, offset: 0, slot: kernel.exports.runSlot(addresses[needle] as number) };
  });
  let entry = layout.ENTRIES;
  for (const [heads, list] of [
    [layout.FINGERPRINT_HEADS, prints],
    [layout.RUN_HEADS, runs],
  ] as const) {
    const sorted = list.toSorted((a, b) => a.slot - b.slot || a.needle - b.needle);
    const firsts = new Uint16Array(memory.buffer, heads, layout.SLOTS + 1);
    const indexed = (from: number, to: number): void => {
      const index = (entry - layout.ENTRIES) / layout.ENTRY_BYTES;
      firsts.fill(IS_LITTLE ? index : ((index & 0xff) << 8) | (index >> 8), from, Math.max(from, to));
    };
    let slot = 0;
    for (const item of sorted) {
      const needle = needles[item.needle] as Uint8Array;
      const shown = Math.min(needle.length, WORD_BYTES);
      indexed(slot, item.slot + 1);
      slot = item.slot + 1;
      memory.fill(0, entry, entry + 2 * WORD_BYTES);
      memory.set(needle.subarray(0, shown), entry);
      memory.fill(0xff, entry + WORD_BYTES, entry + WORD_BYTES + shown);
      view.setUint32(entry + 16, item.offset, true);
      view.setUint32(entry + 20, needle.length, true);
      view.setUint32(entry + 24, addresses[item.needle] as number, true);
      view.setUint32(entry + 28, item.needle, true);
      entry += layout.ENTRY_BYTES;
    }
    indexed(slot, layout.SLOTS + 1);
  }
}

interface Print {
  readonly bytes: readonly number[];
  readonly bucket: number;
}

function writeClasses(
  memory: Uint8Array,
  address: number,
  prints: readonly Print[],
  positions: number,
): void {
  for (let position = 0; position < positions; position++) {
    const table = address + 16 * position;
    // A byte of another low nibble never equals one of this: no member.
    for (let nibble = 0; nibble < 16; nibble++) memory[table + nibble] = nibble ^ 1;
    for (const { bytes } of prints) {
      memory[table + ((bytes[position] as number) & 15)] = bytes[position] as number;
    }
  }
}

function writeBuckets(memory: Uint8Array, address: number, prints: readonly Print[]): void {
  const tables = Array.from({ length: 5 }, (_, i) =>
    memory.subarray(address + 16 * i, address + 16 * (i + 1)),
  );
  const [firstLow, firstHigh, isNotSecond, third, isNotFourth] = tables as [
    Uint8Array,
    Uint8Array,
    Uint8Array,
    Uint8Array,
    Uint8Array,
  ];
  for (const table of tables) table.fill(table === isNotSecond || table === isNotFourth ? 0xff : 0);
  for (const { bytes, bucket } of prints) {
    const [a, b, c, d] = bytes as [number, number, number, number];
    const bit = 1 << bucket;
    set(firstLow, a & 15, bit);
    set(firstHigh, a >> 4, bit);
    clear(isNotSecond, b & 15, bit);
    set(third, c & 15, bit);
    if (d !== ABSENT) clear(isNotFourth, d & 15, bit);
    else for (let nibble = 0; nibble < 16; nibble++) clear(isNotFourth, nibble, bit);
  }
}

function set(table: Uint8Array, nibble: number, bit: number): void {
  table[nibble] = (table[nibble] as number) | bit;
}

function clear(table: Uint8Array, nibble: number, bit: number): void {
  table[nibble] = (table[nibble] as number) & ~bit;
}

function writeAlphabet(memory: Uint8Array, address: number): void {
  memory.fill(0, address, address + 32);
  for (const byte of new TextEncoder().encode(RUN_ALPHABET)) {
    const low = address + (byte & 15);
    const high = 1 << (byte >> 4);
    memory[low] = (memory[low] as number) | high;
    memory[address + 16 + (byte >> 4)] = high;
  }
}
