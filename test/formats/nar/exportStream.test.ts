import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ExportParser } from '../../../src/formats/nar/exportStream.ts';
import type { ExportHandler, ExportTrailer } from '../../../src/formats/nar/exportStream.ts';
import { LIMITS } from '../../../src/model/limits.ts';
import { NarScanError } from '../../../src/model/errors.ts';
import { anyChunkSizes, anyTree } from '../../support/narArbitrary.ts';
import { NarRecorder, linesOf, slices } from '../../support/narEvents.ts';
import { directory, exported, file, nar, raw, token, uint64 } from '../../support/narWriter.ts';

const HASH = '0123456789abcdfghijklmnpqrsvwxyz';
const PATH_A = `/nix/store/${HASH}-a`;
const PATH_B = `/nix/store/${HASH}-b`;
const A = nar(directory(['x', file('made in /home/noamyr/x\n')]));
const B = nar(file('b', true));

interface Exported {
  readonly offset: number;
  bytes: Buffer;
  trailer: ExportTrailer | null;
}

class ExportRecorder extends NarRecorder implements ExportHandler {
  readonly nars: Exported[] = [];
  #present: Exported = { offset: -1, bytes: Buffer.alloc(0), trailer: null };

  narBegin(offset: number): void {
    this.#present = { offset, bytes: Buffer.alloc(0), trailer: null };
    this.nars.push(this.#present);
  }

  narBytes(chunk: Uint8Array, start: number, end: number): void {
    if (end <= start) throw new Error('an empty slice of a NAR');
    this.#present.bytes = Buffer.concat([this.#present.bytes, chunk.subarray(start, end)]);
  }

  trailer(trailer: ExportTrailer): void {
    this.#present.trailer = trailer;
  }
}

function outcomeOf(bytes: Buffer, chunkSizes: readonly number[] = [bytes.length]) {
  const recorder = new ExportRecorder();
  const parser = new ExportParser(recorder);
  let error: { code: string; offset: number | null } | null = null;
  try {
    for (const [start, end] of slices(bytes.length, chunkSizes)) {
      const chunk = Uint8Array.from(bytes.subarray(start, end));
      parser.push(chunk, 0, chunk.length);
    }
    parser.end();
  } catch (thrown) {
    if (!(thrown instanceof NarScanError)) throw thrown;
    error = { code: thrown.code, offset: thrown.offset };
  }
  return { lines: recorder.lines, nars: recorder.nars, done: parser.done, path: parser.path, error };
}

const END = uint64(0);
const TWO = Buffer.concat([exported(A, PATH_A, [PATH_A, PATH_B], `${PATH_A}.drv`), exported(B, PATH_B), END]);

describe('an export stream', () => {
  it('gives each NAR with its bytes, and then whose it is', () => {
    const outcome = outcomeOf(TWO);
    expect(outcome).toMatchObject({ done: true, error: null });
    expect(outcome.nars).toEqual([
      {
        offset: 8,
        bytes: A,
        trailer: { storePath: PATH_A, references: [PATH_A, PATH_B], deriver: `${PATH_A}.drv` },
      },
      { offset: TWO.lastIndexOf(B), bytes: B, trailer: { storePath: PATH_B, references: [], deriver: null } },
    ]);
    expect(outcome.lines).toEqual([
      'directory ',
      'file x of 23',
      'contents made in /home/noamyr/x\n',
      'end of file',
      'executable  of 1',
      'contents b',
      'end of file',
    ]);
  });

  it('is the same however it is cut', () => {
    fc.assert(
      fc.property(fc.array(anyTree, { maxLength: 3 }), anyChunkSizes, (trees, sizes) => {
        const bytes = Buffer.concat([...trees.map((tree) => exported(nar(tree), PATH_A, [PATH_B])), END]);
        const outcome = outcomeOf(bytes, sizes);
        expect(outcome.error).toBeNull();
        expect(outcome.lines).toEqual(trees.flatMap((tree) => linesOf(tree)));
        expect(outcome.nars.map((one) => one.bytes)).toEqual(trees.map((tree) => nar(tree)));
        expect(outcomeOf(bytes, [1])).toEqual(outcome);
      }),
      { numRuns: 50 },
    );
  });

  it('that exports nothing is complete', () => {
    expect(outcomeOf(END)).toMatchObject({ done: true, error: null, nars: [] });
  });

  it('of an old Nix may hold a signature, which is skipped', () => {
    const signed = Buffer.concat([exported(A, PATH_A, [], '', 'a signature'), exported(B, PATH_B), END]);
    expect(outcomeOf(signed, [5])).toMatchObject({
      done: true,
      error: null,
      nars: [{ offset: 8 }, { bytes: B }],
    });
  });

  it('is truncated at every byte before its last', () => {
    for (let size = 0; size < TWO.length; size++) {
      for (const sizes of [[TWO.length], [1]]) {
        const { error, done } = outcomeOf(TWO.subarray(0, size), sizes);
        expect(error?.code).toMatch(/^(EXPORT|NAR)_TRUNCATED$/);
        expect(error?.offset).toBe(size);
        expect(done).toBe(false);
      }
    }
  });
});

describe('a malformed export stream', () => {
  const trailer = (...parts: readonly (string | Buffer)[]): Buffer =>
    Buffer.concat([uint64(1), B, uint64(0x4558494e), raw(...parts)]);
  const at = trailer().length;
  const path = token(PATH_A).length;

  const cases: readonly (readonly [string, string, Buffer, number])[] = [
    ['EXPORT_BAD_MAGIC', 'a first number that is neither 0 nor 1', uint64(2), 0],
    ['EXPORT_BAD_MAGIC', 'a first number of 64 bits', uint64(2n ** 63n), 0],
    ['EXPORT_BAD_MAGIC', 'no NIXE behind the NAR', Buffer.concat([uint64(1), B, uint64(1)]), 8 + B.length],
    [
      'EXPORT_BAD_MAGIC',
      'another number where 0 or a signature stands',
      trailer(PATH_A, END, '', uint64(2)),
      at + path + 16,
    ],
    ['EXPORT_LENGTH', 'a store path that is too long', trailer(`/${'x'.repeat(4096)}`), at],
    ['EXPORT_LENGTH', 'a store path of 2^62 bytes', trailer(uint64(2n ** 62n)), at],
    ['EXPORT_LENGTH', 'too many references', trailer(PATH_A, uint64(65_537)), at + path],
    ['EXPORT_LENGTH', '2^62 references', trailer(PATH_A, uint64(2n ** 62n)), at + path],
    [
      'EXPORT_LENGTH',
      'a signature that is too long',
      trailer(PATH_A, END, '', uint64(1), uint64(4097)),
      at + path + 24,
    ],
    ['EXPORT_BAD_PATH', 'an empty store path', trailer(''), at + 8],
    ['EXPORT_BAD_PATH', 'a relative store path', trailer('x'), at + 8],
    ['EXPORT_BAD_PATH', 'a NUL in a store path', trailer('/nix/store/\0'), at + 8],
    ['EXPORT_BAD_PATH', 'an empty reference', trailer(PATH_A, uint64(1), ''), at + path + 16],
    ['EXPORT_BAD_PATH', 'a relative deriver', trailer(PATH_A, uint64(0), 'x'), at + path + 16],
    ['EXPORT_PADDING', 'padding that is not zero', trailer(token('/x', 1)), at + 10],
    ['EXPORT_TRAILING', 'a byte behind the end', Buffer.concat([TWO, Buffer.from('x')]), TWO.length],
    ['EXPORT_TRAILING', 'another stream behind the end', Buffer.concat([TWO, TWO]), TWO.length],
    ['NAR_BAD_MAGIC', 'no NAR', Buffer.concat([uint64(1), Buffer.alloc(64)]), 8],
    ['NAR_TAG', 'a malformed NAR', Buffer.concat([uint64(1), raw('nix-archive-1', 'x')]), 32],
  ];

  it.each(cases)('is %s at the fault: %s', (code, _what, bytes, offset) => {
    for (const sizes of [[bytes.length], [1], [7]]) {
      expect(outcomeOf(bytes, sizes).error).toEqual({ code, offset });
    }
  });

  it('cannot make the references take unbounded memory', () => {
    const reference = token(`/${'x'.repeat(4095)}`);
    const count = LIMITS.exportReferenceBytes / 4096 + 1;
    const head = trailer(PATH_A, uint64(count));
    const bytes = Buffer.concat([head, ...Array.from({ length: count }, () => reference)]);
    expect(outcomeOf(bytes).error).toEqual({
      code: 'EXPORT_LENGTH',
      offset: head.length + (count - 1) * reference.length,
    });
  });

  it('is not one whose paths have many references each, but not too many', () => {
    const most = Array.from({ length: LIMITS.exportReferenceBytes / 4096 }, () => `/${'x'.repeat(4095)}`);
    const one = exported(B, PATH_B, most);
    expect(outcomeOf(Buffer.concat([one, one, END]))).toMatchObject({ done: true, error: null });
  });
});

describe('misuse', () => {
  it('a push after an error or after the end throws', () => {
    const failed = new ExportParser(new ExportRecorder());
    expect(() => failed.push(uint64(9), 0, 8)).toThrow('expected 1 and a NAR');
    expect(() => failed.push(END, 0, 8)).toThrow('ExportParser used after an error');
    const ended = new ExportParser(new ExportRecorder());
    ended.push(END, 0, 8);
    ended.end();
    expect(() => ended.push(END, 0, 8)).toThrow('ExportParser used after end()');
    expect(() => ended.end()).toThrow('ExportParser used after end()');
  });
});
