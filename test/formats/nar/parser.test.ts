import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NarParser, narTrailing } from '../../../src/formats/nar/parser.ts';
import { anyChunkSizes, anyTree } from '../../support/narArbitrary.ts';
import { NarRecorder, linesOf, outcomeOf } from '../../support/narEvents.ts';
import {
  directory,
  directoryNode,
  entry,
  file,
  nar,
  narOfNode,
  node,
  raw,
  symlink,
  token,
  uint64,
} from '../../support/narWriter.ts';

const SAMPLE = directory(
  ['bin', directory(['run', file('#!/bin/sh\necho\n', true)])],
  ['empty', file('')],
  ['lib', directory()],
  ['share', symlink('../home')],
);

describe('a well-formed NAR', () => {
  it('leads to its tree, in the order of its bytes', () => {
    expect(outcomeOf(nar(SAMPLE))).toEqual({ lines: linesOf(SAMPLE), path: '', error: null });
    expect(linesOf(SAMPLE)).toEqual([
      'directory ',
      'directory bin',
      'executable bin/run of 15',
      'contents #!/bin/sh\necho\n',
      'end of file',
      'file empty of 0',
      'end of file',
      'directory lib',
      'symlink share -> ../home',
    ]);
  });

  it('leads to the same tree however it is cut', () => {
    fc.assert(
      fc.property(anyTree, anyChunkSizes, (tree, sizes) => {
        const bytes = nar(tree);
        const lines = linesOf(tree);
        expect(outcomeOf(bytes).lines).toEqual(lines);
        expect(outcomeOf(bytes, sizes)).toEqual({ lines, path: '', error: null });
        expect(outcomeOf(bytes, [1]).lines).toEqual(lines);
      }),
      { numRuns: 200 },
    );
  });

  it('gives contents as slices of the very chunk, without a copy', () => {
    const bytes = nar(file('0123456789'));
    const seen: [boolean, number, number][] = [];
    const recorder = new NarRecorder();
    recorder.contents = (chunk, start, end) => seen.push([chunk === bytes, start, end]);
    new NarParser(recorder).push(bytes, 0, bytes.length);
    const at = bytes.indexOf('0123456789');
    expect(seen).toEqual([[true, at, at + 10]]);
  });

  it('is read from the middle of a chunk, and only that part of it', () => {
    const bytes = nar(SAMPLE);
    const chunk = Buffer.concat([Buffer.from('before'), bytes, Buffer.from('behind')]);
    const recorder = new NarRecorder();
    const parser = new NarParser(recorder);
    expect(parser.push(chunk, 6, 6 + bytes.length)).toBe(bytes.length);
    expect(parser.done).toBe(true);
    expect(recorder.lines).toEqual(linesOf(SAMPLE));
  });

  it('is read from memory that is shared, or a part of other memory', () => {
    const bytes = nar(SAMPLE);
    const shared = new Uint8Array(new SharedArrayBuffer(bytes.length + 3), 3);
    shared.set(bytes);
    const recorder = new NarRecorder();
    new NarParser(recorder).push(shared, 0, shared.length);
    expect(recorder.lines).toEqual(linesOf(SAMPLE));
  });

  it('ends where its root node ends, and what follows is left to the caller', () => {
    const bytes = nar(SAMPLE);
    const parser = new NarParser(new NarRecorder(), { initialOffset: 1000 });
    expect(parser.push(Buffer.concat([bytes, bytes]), 0, 2 * bytes.length)).toBe(bytes.length);
    expect(parser.done).toBe(true);
    expect(parser.offset).toBe(1000 + bytes.length);
    expect(parser.push(bytes, 0, bytes.length)).toBe(0);
    parser.end();
    expect(narTrailing(parser.offset)).toMatchObject({ code: 'NAR_TRAILING', offset: 1000 + bytes.length });
  });
});

describe('where the parser stands', () => {
  it('is the last entry that began and has not ended', () => {
    const bytes = nar(SAMPLE);
    const standsAfter = (marker: string): string => {
      const parser = new NarParser(new NarRecorder());
      parser.push(bytes, 0, bytes.indexOf(marker) + marker.length);
      return parser.path;
    };
    expect(standsAfter('nix-archive-1')).toBe('');
    expect(standsAfter('#!/bin')).toBe('bin/run');
    expect(standsAfter('run')).toBe('bin');
    expect(standsAfter('empty')).toBe('');
    expect(standsAfter('../home')).toBe('share');
  });

  it('counts bytes that are held because a chunk ended in a token', () => {
    const parser = new NarParser(new NarRecorder(), { initialOffset: 7 });
    parser.push(nar(SAMPLE), 0, 30);
    expect(parser.offset).toBe(37);
  });
});

describe('a NAR cut short', () => {
  const bytes = nar(SAMPLE);

  it('is NAR_TRUNCATED at every byte, and everything before the cut was told', () => {
    const whole = outcomeOf(bytes).lines.join('\n');
    for (let size = 0; size < bytes.length; size++) {
      for (const sizes of [[size], [1], [7, 16]]) {
        const outcome = outcomeOf(bytes.subarray(0, size), sizes);
        expect(outcome.error).toEqual({ code: 'NAR_TRUNCATED', offset: size });
        expect(whole.startsWith(outcome.lines.join('\n'))).toBe(true);
      }
    }
  });

  it('gives the content bytes that came, but no end of the file', () => {
    const cut = bytes.subarray(0, bytes.indexOf('/bin/sh') + 4);
    expect(outcomeOf(cut).lines).toEqual([
      'directory ',
      'directory bin',
      'executable bin/run of 15',
      'contents #!/bin',
    ]);
    expect(outcomeOf(cut, [1]).lines).toEqual(outcomeOf(cut).lines);
  });

  it('ends a file with its last content byte, before its padding', () => {
    const cut = bytes.subarray(0, bytes.indexOf('echo\n') + 5);
    expect(outcomeOf(cut).lines.at(-1)).toBe('end of file');
  });
});

describe('contents that are read elsewhere', () => {
  /** Parses as a file is read, in chunks of these sizes, and passes over files of at least `from` bytes. */
  function passing(bytes: Buffer, sizes: readonly number[], from: number): string[] {
    const recorder = new NarRecorder();
    let next = { size: 0, offset: 0 };
    const parser = new NarParser({
      directory: (path) => recorder.directory(path),
      symlink: (path, target) => recorder.symlink(path, target),
      file: (path, executable, size, offset) => {
        recorder.file(path, executable, size);
        next = { size, offset };
      },
      elsewhere: () => next.size >= from,
      contents: (chunk, start, end) => recorder.contents(chunk, start, end),
      fileEnd: () => recorder.fileEnd(),
    });
    let at = 0;
    for (let index = 0; at < bytes.length; index++) {
      const chunk = bytes.subarray(at, at + Math.max(1, sizes[index % sizes.length] ?? 1));
      at += parser.push(chunk, 0, chunk.length);
      if (!parser.passesOver) continue;
      expect([parser.offset, next.offset]).toEqual([at, at]);
      expect(parser.push(chunk, 0, chunk.length)).toBe(0);
      const contents = bytes.subarray(at, at + next.size);
      recorder.contents(contents, 0, contents.length);
      at += parser.passOver();
    }
    expect([parser.offset, parser.done]).toEqual([bytes.length, true]);
    parser.end();
    return recorder.lines;
  }

  it('are passed over wherever they are, and all else is given', () => {
    fc.assert(
      fc.property(anyTree, anyChunkSizes, fc.integer({ min: 1, max: 100 }), (tree, sizes, from) => {
        expect(passing(nar(tree), sizes, from)).toEqual(linesOf(tree));
        expect(passing(nar(tree), [1_000_000], from)).toEqual(linesOf(tree));
      }),
      { numRuns: 200 },
    );
  });

  it('are never those of an empty file, and there is nothing to pass over where there are none', () => {
    const asked = new NarParser(Object.assign(new NarRecorder(), { elsewhere: () => true }));
    const bytes = nar(file(''));
    expect([asked.push(bytes, 0, bytes.length), asked.passesOver]).toEqual([bytes.length, false]);
    expect(() => asked.passOver()).toThrow('nothing to pass over');
  });

  it('have their padding checked', () => {
    const bytes = narOfNode(raw('(', 'type', 'regular', 'contents', token('abc', 7), ')'));
    const parser = new NarParser(Object.assign(new NarRecorder(), { elsewhere: () => true }));
    const at = parser.push(bytes, 0, bytes.length);
    expect([bytes.toString('latin1', at, at + 3), parser.passOver()]).toEqual(['abc', 3]);
    expect(() => parser.push(bytes, at + 3, bytes.length)).toThrow(
      expect.objectContaining({ code: 'NAR_PADDING', offset: at + 3 }),
    );
  });

  it('that nothing follows are a NAR that ends early', () => {
    const bytes = narOfNode(raw('(', 'type', 'regular', 'contents', uint64(3), 'abc'));
    for (const passes of [false, true]) {
      const parser = new NarParser(Object.assign(new NarRecorder(), { elsewhere: () => true }));
      const at = parser.push(bytes, 0, bytes.length);
      if (passes) parser.passOver();
      expect(() => parser.end()).toThrow(
        expect.objectContaining({ code: 'NAR_TRUNCATED', offset: passes ? at + 3 : at }),
      );
    }
  });
});

describe('the offset of a fault', () => {
  const clean = entry('b', node(file('b')));
  const before = raw('nix-archive-1', '(', 'type', 'directory', clean);
  const at = before.length;
  // Bytes behind an entry, and how far from there the fault is.
  const faults: readonly (readonly [string, string, Buffer, number])[] = [
    ['NAR_TAG', 'a wrong tag: its token', raw('entri'), 0],
    ['NAR_TAG', 'a tag that is too long: its length', raw('x'.repeat(33)), 0],
    ['NAR_TAG', 'a tag that ought to come second', raw('entry', '[', 'name', 'c'), 16],
    ['NAR_TAG', 'a type that is unknown', raw('entry', '(', 'name', 'c', 'node', '(', 'type', 'fifo'), 112],
    ['NAR_LENGTH', 'a length: its field', raw('entry', '(', 'name', uint64(2n ** 63n)), 48],
    ['NAR_BAD_NAME', 'a name that is too long: its length', raw('entry', '(', 'name', 'c'.repeat(256)), 48],
    ['NAR_BAD_NAME', 'a name: its first byte', raw('entry', '(', 'name', 'c/d'), 56],
    ['NAR_UNSORTED', 'a name: its first byte', raw('entry', '(', 'name', 'a'), 56],
    ['NAR_DUPLICATE_NAME', 'a name: its first byte', raw('entry', '(', 'name', 'b'), 56],
    ['NAR_PADDING', 'padding of a name: the byte', raw('entry', '(', 'name', token('c', 1)), 57],
    ['NAR_PADDING', 'padding of a tag: the byte', raw(token('entry', 1)), 13],
    [
      'NAR_BAD_TARGET',
      'a target: its first byte',
      raw('entry', '(', 'name', 'c', 'node', '(', 'type', 'symlink', 'target', ''),
      16 * 9 + 8,
    ],
    [
      'NAR_PADDING',
      'padding of contents: the byte',
      raw('entry', '(', 'name', 'c', 'node', '(', 'type', 'regular', 'contents', token('abc', 7)),
      16 * 9 + 11,
    ],
  ];

  it.each(faults)('of %s: %s', (code, _what, bytes, distance) => {
    const whole = Buffer.concat([before, bytes, Buffer.alloc(64, 0x41)]);
    for (const sizes of [[whole.length], [1], [3], [5, 11]]) {
      expect(outcomeOf(whole, sizes).error).toEqual({ code, offset: at + distance });
    }
  });

  it('of a node that is too deep is where the node would begin', () => {
    const shell = raw('(', 'type', 'directory', 'entry', '(', 'name', 'd', 'node');
    const whole = raw('nix-archive-1', ...Array.from({ length: 65 }, () => shell));
    expect(outcomeOf(whole).error).toEqual({ code: 'NAR_DEPTH', offset: 24 + 64 * shell.length });
  });

  it('counts from the initial offset', () => {
    const parser = new NarParser(new NarRecorder(), { initialOffset: 500 });
    expect(() => parser.push(Buffer.from('not a NAR'), 0, 9)).toThrow(
      expect.objectContaining({ code: 'NAR_BAD_MAGIC', offset: 500 }),
    );
  });
});

describe('limits', () => {
  it('refuse a length before anything of that length is there', () => {
    const head = raw('nix-archive-1', '(', 'type', 'symlink', 'target', uint64(4096));
    expect(outcomeOf(head).error).toEqual({ code: 'NAR_BAD_TARGET', offset: head.length - 8 });
  });

  it('let a file have all of 2^53 bytes that can be counted, and no more', () => {
    const head = raw('nix-archive-1', '(', 'type', 'regular', 'contents');
    const largest = 2 ** 53 - 1 - head.length - 16;
    expect(outcomeOf(raw(head, uint64(largest))).lines).toEqual([`file  of ${largest}`]);
    expect(outcomeOf(raw(head, uint64(largest + 1))).error?.code).toBe('NAR_LENGTH');
  });

  it('take a directory of many entries without growing with their number', () => {
    const names = Array.from({ length: 5000 }, (_, index) => `entry-${String(index).padStart(6, '0')}`);
    const bytes = narOfNode(directoryNode(...names.map((name) => entry(name, node(file(''))))));
    expect(outcomeOf(bytes, [1000]).error).toBeNull();
  });
});

describe('misuse', () => {
  const bytes = nar(SAMPLE);

  it('a push or end after an error throws', () => {
    const parser = new NarParser(new NarRecorder());
    expect(() => parser.push(Buffer.from('x'), 0, 1)).toThrow('not a NAR');
    expect(() => parser.push(bytes, 0, bytes.length)).toThrow('NarParser used after an error');
    expect(() => parser.end()).toThrow('NarParser used after an error');
  });

  it('a push after an error of the handler throws', () => {
    const recorder = new NarRecorder();
    recorder.directory = () => {
      throw new Error('disk full');
    };
    const parser = new NarParser(recorder);
    expect(() => parser.push(bytes, 0, bytes.length)).toThrow('disk full');
    expect(() => parser.push(bytes, 0, bytes.length)).toThrow('NarParser used after an error');
  });

  it('a push or end after the end throws', () => {
    const parser = new NarParser(new NarRecorder());
    parser.push(bytes, 0, bytes.length);
    parser.end();
    expect(() => parser.push(bytes, 0, 1)).toThrow('NarParser used after end()');
    expect(() => parser.end()).toThrow('NarParser used after end()');
  });

  it('a push after an end that came too early throws', () => {
    const parser = new NarParser(new NarRecorder());
    expect(() => parser.end()).toThrow(expect.objectContaining({ code: 'NAR_TRUNCATED' }));
    expect(() => parser.push(bytes, 0, bytes.length)).toThrow('NarParser used after end()');
  });

  it('a slice outside the chunk throws, and costs nothing', () => {
    const parser = new NarParser(new NarRecorder());
    expect(() => parser.push(bytes, 0, bytes.length + 1)).toThrow(RangeError);
    expect(() => parser.push(bytes, 5, 4)).toThrow(RangeError);
    expect(parser.push(bytes, 0, bytes.length)).toBe(bytes.length);
  });
});

it('messages of errors hold no control characters of the input', () => {
  const parser = new NarParser(new NarRecorder());
  const bytes = raw('nix-archive-1', '\x1b[31m\x9b');
  expect(() => parser.push(bytes, 0, bytes.length)).toThrow('expected "(", got "?[31m?"');
});
