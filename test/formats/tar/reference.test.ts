import fc from 'fast-check';
import { pack } from 'tar-stream';
import { describe, expect, it } from 'vitest';
import { readTar } from '../../../src/formats/tar/tar.ts';
import type { ReadContainer } from '../../support/containerItems.ts';
import { readAll } from '../../support/containerItems.ts';
import { readByTarStream } from './reference.ts';
import type { ReferenceMember } from './reference.ts';
import { archive, entry, GNU, long, pax, V7 } from './writer.ts';

interface Plain {
  readonly name: string;
  readonly target: string;
  readonly contents: string;
}

function ownView({ members }: ReadContainer): Plain[] {
  return members.map(({ name, target, bytes }) => ({
    name,
    target,
    contents: bytes?.toString('latin1') ?? '',
  }));
}

/** tar-stream reads on behind the end of an archive. */
function referenceView(members: readonly ReferenceMember[], end: number): Plain[] {
  return members
    .filter(({ at }) => at < end)
    .map(({ name, target, bytes }) => ({ name, target, contents: bytes.toString('latin1') }));
}

describe('readTar and tar-stream', () => {
  it('read the same from what tar-stream writes', async () => {
    const path = (...letters: string[]): fc.Arbitrary<string> => {
      const part = fc.string({ unit: fc.constantFrom(...letters), minLength: 1, maxLength: 120 });
      return fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'));
    };
    const member = fc.record({
      name: path('a', 'é', '.'),
      type: fc.constantFrom('file' as const, 'symlink' as const, 'link' as const, 'directory' as const),
      target: path('b', '.', '-'),
      contents: fc.string({ maxLength: 1500 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(member, { maxLength: 6 }), async (wanted) => {
        const writer = pack();
        for (const { name, type, target, contents } of wanted) {
          if (type === 'file') writer.entry({ name, type }, contents);
          else writer.entry({ name, type, linkname: type === 'directory' ? null : target } as never);
        }
        writer.finalize();
        const parts: Buffer[] = [];
        for await (const piece of writer) parts.push(Buffer.from(piece as Uint8Array));
        const bytes = Buffer.concat(parts);
        const own = await readAll(readTar, [bytes]);
        expect(own).toMatchObject({ faults: [], code: null, end: bytes.length });
        const { members, failed } = await readByTarStream(bytes);
        expect(failed).toBe(false);
        // A name that is not ASCII stands in a PAX record, which is bytes here and text there.
        const texts = ownView(own).map((plain) => ({
          ...plain,
          name: Buffer.from(plain.name, 'latin1').toString(),
        }));
        expect(texts).toEqual(referenceView(members, bytes.length));
        expect(own.members).toHaveLength(wanted.length);
      }),
      { numRuns: 60 },
    );
  });

  const SAMPLE = archive(
    entry({ name: 'a', prefix: 'pre' }, 'x'.repeat(700)),
    pax({ path: 'long/name', mtime: '1.5' }),
    entry({ name: 'b' }, 'y'.repeat(512)),
    long('L', 'l'.repeat(300)),
    entry({ name: 'c', magic: GNU, flag: '2', target: 't' }),
    entry({ name: 'd', magic: V7 }, 'z'),
    entry({ name: 'e/', flag: '5' }),
    entry({ name: 'f', flag: '1', target: 'a' }),
    entry({ name: 'g' }, 'q'),
  );
  const HEADERS = [0, 1536, 2560, 3584, 4608, 5120, 6144, 6656, 7168];

  /** The offset of a byte in a header or in the record behind it; the fields that matter more often. */
  const place = fc.oneof(
    fc.integer({ min: 124, max: 135 }),
    fc.constant(156),
    fc.integer({ min: 0, max: 99 }),
    fc.integer({ min: 157, max: 180 }),
    fc.integer({ min: 257, max: 264 }),
    fc.integer({ min: 345, max: 348 }),
    fc.integer({ min: 512, max: 551 }),
    fc.integer({ min: 0, max: 511 }),
  );
  const value = fc.oneof(fc.constantFrom(0, 0x20, 0x80, 0xff), fc.integer({ min: 0x30, max: 0x7a }));
  const change = fc.tuple(fc.constantFrom(...HEADERS), place, value);

  it('do not read two things from one damaged archive without a fault or an error', async () => {
    let clean = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 3 }), async (changes) => {
        const bytes = Buffer.from(SAMPLE);
        for (const [header, at, byte] of changes) {
          bytes[header + at] = byte;
          sign(bytes.subarray(header, header + 512));
        }
        const own = await readAll(readTar, [bytes]);
        if (own.code !== null || own.faults.length > 0) return;
        // Solaris marks PAX headers so; tar-stream takes them for members.
        if (HEADERS.some((header) => bytes[header + 156] === 0x58)) return;
        const reference = await readByTarStream(bytes);
        if (reference.failed) return;
        clean += 1;
        const view = referenceView(reference.members, own.end!);
        // Values of PAX records that are no UTF-8 are lost there.
        if (view.some(({ name }) => name.includes('\ufffd'))) return;
        expect(ownView(own)).toEqual(view);
      }),
      { numRuns: 3000 },
    );
    expect(clean).toBeGreaterThan(500);
  });
});

/** Makes the checksum of a header right. */
function sign(record: Buffer): void {
  record.fill(0x20, 148, 156);
  const sum = record.reduce((total, byte) => total + byte, 0);
  record.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
}
