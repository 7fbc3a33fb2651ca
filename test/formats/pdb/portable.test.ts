import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readPortablePdb } from '../../../src/formats/pdb/portable.ts';
import type { RangeReader } from '../../../src/formats/ranges.ts';
import { NarScanError } from '../../../src/model/errors.ts';
import { writePortablePdb } from '../../support/portablePdbWriter.ts';
import { wholeReader } from '../../support/rangeReaders.ts';

async function names(reader: RangeReader): Promise<{ names: string[]; code: string | null }> {
  const chunks: Uint8Array[] = [];
  let code: string | null = null;
  for await (const item of readPortablePdb(reader)) {
    expect(item).toMatchObject({ item: 'member', name: 'documents' });
    if (item.item === 'fault') continue;
    try {
      for await (const chunk of item.contents ?? []) chunks.push(chunk.slice());
    } catch (error) {
      if (!(error instanceof NarScanError)) throw error;
      code = error.code;
    }
  }
  return { names: Buffer.concat(chunks).toString().split('\0').slice(0, -1), code };
}

const PATHS = ['/home/alice/src/a.cs', '/home/alice/src/b.cs', 'relative/c.cs', ''];

describe('names of documents', () => {
  it.each([true, false])('are put together from their parts; large heaps: %s', async (large) => {
    const bytes = writePortablePdb(PATHS, '/', large);
    expect(Buffer.from(bytes).includes('/home/alice')).toBe(false);
    expect(await names(wholeReader(bytes))).toEqual({ names: PATHS, code: null });
  });

  it('have any separator, or none', async () => {
    const windows = ['C:\\Users\\alice\\a.cs', '\\\\server\\share\\b.cs'];
    expect((await names(wholeReader(writePortablePdb(windows, '\\')))).names).toEqual(windows);
    expect((await names(wholeReader(writePortablePdb(PATHS, '')))).names).toEqual(PATHS);
    expect((await names(wholeReader(writePortablePdb(['a→b'], '→')))).names).toEqual(['a→b']);
  });

  it('may be many and long', async () => {
    const path = fc.array(fc.string({ maxLength: 200 }), { maxLength: 9 }).map((parts) => parts.join('/'));
    await fc.assert(
      fc.asyncProperty(fc.array(path, { maxLength: 80 }), async (paths) => {
        const plain = paths.map((text) => text.replaceAll('\0', ''));
        const bytes = writePortablePdb(plain, '/', true);
        expect(await names(wholeReader(bytes))).toEqual({ names: plain, code: null });
      }),
      { numRuns: 30 },
    );
  });
});

describe('damage', () => {
  const whole = writePortablePdb(PATHS);

  it('cut anywhere it is a fault', async () => {
    for (let end = 0; end < whole.length; end += 1) {
      const { code } = await names(wholeReader(whole.slice(0, end)));
      expect(['CONTAINER_TRUNCATED', 'CONTAINER_CORRUPT'], `${end}`).toContain(code);
    }
  });

  it('very many documents that share a long name are corrupt, and end soon', async () => {
    const bytes = writePortablePdb([Array.from({ length: 3000 }, () => '').join('/'), ...PATHS], '/', true);
    const view = new DataView(bytes.buffer);
    const rows = Buffer.from(bytes).indexOf(Buffer.from('05000000000000', 'hex')) + 8;
    for (let row = 1; row < 5; row += 1) view.setUint32(rows + 16 * row, view.getUint32(rows, true), true);
    expect((await names(wholeReader(bytes))).code).toBe('CONTAINER_CORRUPT');
  });

  it('bytes that are not to be had are a fault', async () => {
    expect((await names({ size: whole.length, read: () => null })).code).toBe('CONTAINER_UNREADABLE');
  });

  it('changed bytes end in a result', async () => {
    const edits = fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(edits, async (changes) => {
        const bytes = whole.slice();
        for (const [at, value] of changes) bytes[at] = value;
        const { code } = await names(wholeReader(bytes));
        expect([null, 'CONTAINER_TRUNCATED', 'CONTAINER_CORRUPT', 'CONTAINER_LIMIT']).toContain(code);
      }),
    );
  });
});
