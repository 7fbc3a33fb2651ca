import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lineAt, linesOf } from '../../../src/quarantine/trail/lines.ts';
import type { AuditRecord } from '../../../src/quarantine/trail/record.ts';
import { NO_HASH, openedSeal, recordOf, sealed } from '../../../src/quarantine/trail/seal.ts';
import { loadDigest } from '../../../src/report/ids.ts';

const digest = await loadDigest();

const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 });
const id = fc.stringMatching(/^[0-9a-f]{16}$/);
const hash = fc.stringMatching(/^[0-9a-f]{64}$/);

/** Records of some kinds, with any text in them. */
const record: fc.Arbitrary<AuditRecord> = fc
  .record({
    seq: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
    actor: text,
    reason: text,
    storePath: text,
    covers: fc.array(id, { maxLength: 3 }),
    prev: hash,
    kind: fc.constantFrom('released', 'withheld', 'lifted'),
  })
  .map(({ seq, actor, reason, storePath, covers, prev, kind }): AuditRecord => {
    const common = { seq, at: '2026-11-22T00:00:00.000Z', actor };
    if (kind === 'lifted') return { ...common, event: kind, decision: seq, reason, prev };
    if (kind === 'withheld') {
      return { ...common, event: kind, storePath, narHash: null, because: reason, prev };
    }
    const narHash = `sha256:${'0'.repeat(52)}`;
    return {
      ...common,
      event: 'released',
      id: null,
      storePath,
      narHash,
      covers,
      reason,
      expires: null,
      prev,
    };
  });

describe('the seal of a record', () => {
  it('opens, and gives the record back', () => {
    fc.assert(
      fc.property(record, (value) => {
        const { line, hash } = sealed(value, digest);
        expect(line.indexOf('\n')).toBe(line.length - 1);
        const bytes = Buffer.from(line.trimEnd());
        expect(openedSeal(bytes, value.prev, digest)).toEqual({ hash });
        expect(recordOf(bytes)).toEqual({ record: value });
      }),
    );
  });

  it('does not open behind another record, or with any byte changed', () => {
    fc.assert(
      fc.property(record, fc.nat(), fc.integer({ min: 1, max: 255 }), (value, at, change) => {
        const bytes = Buffer.from(sealed(value, digest).line.trimEnd());
        if (value.prev !== NO_HASH) expect(openedSeal(bytes, NO_HASH, digest)).toHaveProperty('fault');
        const place = at % bytes.length;
        bytes[place] = (bytes[place] ?? 0) ^ change;
        expect(openedSeal(bytes, value.prev, digest)).toHaveProperty('fault');
      }),
    );
  });

  it('is none, whatever bytes there are', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        expect(openedSeal(Buffer.from(bytes), NO_HASH, digest)).toHaveProperty('fault');
        expect(recordOf(Buffer.from(bytes))).toHaveProperty('fault');
      }),
    );
  });
});

describe('what is no record', () => {
  it.each(['null', '1', '[]', '{}', '"x"', '{"event":"unheard-of"}', ''])('%s', (json) => {
    expect(recordOf(Buffer.from(json))).toHaveProperty('fault');
  });
});

describe('the lines of a file', () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'nar-scan-lines-'))));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  /** @returns each line with its offset */
  function read(bytes: Buffer, most: number): readonly (readonly [number, string] | null)[] {
    const file = join(folder, 'file');
    writeFileSync(file, bytes);
    const descriptor = openSync(file, 'r');
    try {
      const all = [...linesOf(descriptor, 0, bytes.length, most)].map((line) =>
        line === null ? null : ([line.offset, ''] as const),
      );
      const texts: (readonly [number, string] | null)[] = [];
      for (const line of linesOf(descriptor, 0, bytes.length, most)) {
        texts.push(line === null ? null : [line.offset, line.bytes.toString('latin1')]);
      }
      expect(texts.map((line) => line?.[0])).toEqual(all.map((line) => line?.[0]));
      for (const line of texts) {
        if (line === null) continue;
        expect(lineAt(descriptor, line[0], bytes.length, most)?.bytes.toString('latin1')).toBe(line[1]);
      }
      return texts;
    } finally {
      closeSync(descriptor);
    }
  }

  it('are whole, wherever they stand; what follows the last line feed is none', () => {
    const length = fc.oneof(fc.nat(20), fc.constantFrom(4095, 4096, 4097, 1_048_575, 1_048_576, 1_048_577));
    fc.assert(
      fc.property(fc.array(length, { maxLength: 6 }), fc.nat(10), (lengths, rest) => {
        const lines = lengths.map((size, at) => String.fromCharCode(97 + at).repeat(size));
        const bytes = Buffer.from(lines.map((line) => `${line}\n`).join('') + 'z'.repeat(rest));
        let offset = 0;
        const wanted = lines.map((line) => {
          const found = [offset, line] as const;
          offset += line.length + 1;
          return found;
        });
        expect(read(bytes, 8 << 20)).toEqual(wanted);
      }),
      { numRuns: 40 },
    );
  });

  it('end where one is too long', () => {
    const bytes = Buffer.concat([Buffer.from('a\n'), Buffer.alloc(9 << 20, 'b'), Buffer.from('\nc\n')]);
    expect(read(bytes, 4 << 20)).toEqual([[0, 'a'], null]);
  });
});
