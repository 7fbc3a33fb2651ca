import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { zstdCompressSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { sniffContent } from '../../../src/formats/magic.ts';
import { readOcaml } from '../../../src/formats/ocaml/marshal.ts';
import { needs } from '../../support/programs.ts';
import { sample } from '../compression/support.ts';
import { isIncomplete, readAll, texts } from '../zlib/support.ts';

const LEAK = Buffer.from('\xb0\xa0 /home/alice/src/a.ml and again /home/alice/src/a.ml', 'latin1');

function number(value: number): number[] {
  const bytes = [value & 0x7f];
  for (let left = Math.floor(value / 128); left > 0; left = Math.floor(left / 128)) {
    bytes.unshift((left & 0x7f) | 0x80);
  }
  return bytes;
}

/** A value as the runtime of OCaml 5.1 marshals it with compression. */
function value(data: Uint8Array, packed: Uint8Array = zstdCompressSync(data), decoded = data.length): Buffer {
  const numbers = [packed.length, decoded, 3, 100, 2000].flatMap(number);
  const head = Buffer.from([0x84, 0x95, 0xa6, 0xbd, 5 + numbers.length, ...numbers]);
  return Buffer.concat([head, packed]);
}

const CMI = Buffer.from('Caml1999I033\x84\x95\xa6\xbe\0\0\0\x01\0\0\0\0\0\0\0\0\0\0\0\0\x40', 'latin1');
const cmt = (...parts: Buffer[]): Buffer => Buffer.concat([CMI, Buffer.from('Caml1999T034'), ...parts]);

describe('a file of the OCaml compiler', () => {
  it('gives every compressed value, at its place', async () => {
    const large = sample(1_000_000);
    const bytes = cmt(value(LEAK), Buffer.from('Caml1999T034'), value(large));
    expect(sniffContent(bytes, 0, bytes.length, bytes.length)).toBe('ocaml');
    const read = await readAll(readOcaml, bytes);
    expect(read.members.map(({ bytes }) => bytes)).toEqual([LEAK, large]);
    expect(read.faults).toEqual([]);
    const at = bytes.indexOf(zstdCompressSync(LEAK));
    expect(read.members[0]).toMatchObject({ name: `zstd@${at}`, offset: at, code: null });
  });

  it('that has none holds nothing, and the magic alone is none', async () => {
    for (const bytes of [
      cmt(),
      cmt(Buffer.from('\x84\x95\xa6\xbd is the magic of a compressed value in OCaml', 'latin1')),
    ]) {
      expect(await readAll(readOcaml, bytes)).toEqual({ members: [], faults: [] });
    }
  });

  it('that is cut is never whole', async () => {
    const whole = cmt(value(sample(900)));
    for (let end = CMI.length + 12 + 30; end < whole.length; end += 1) {
      expect(isIncomplete(await readAll(readOcaml, whole.subarray(0, end))), `cut at ${end}`).toBe(true);
    }
  });

  it.each([
    ['a length that is not true', value(LEAK, zstdCompressSync(LEAK), 5), /corrupt/],
    ['bytes behind the frame', value(LEAK, Buffer.concat([zstdCompressSync(LEAK), LEAK])), /corrupt/],
    ['another packing', value(LEAK, LEAK), /unsupported/],
  ])('%s is a fault, and what follows is read', async (_, damaged, reason) => {
    const read = await readAll(readOcaml, cmt(damaged, value(LEAK)));
    expect(texts(read).at(-1)).toBe(LEAK.toString('latin1'));
    expect(read.faults.join(' ')).toMatch(reason);
  });

  it.skipIf(!needs('ocamlc'))('as ocamlc writes it', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'ocaml-'));
    try {
      writeFileSync(join(folder, 'a.ml'), `let all = [${'"/home/alice/src/a.ml", __FILE__;'.repeat(200)}]\n`);
      execFileSync('ocamlc', ['-bin-annot', '-g', '-c', 'a.ml'], { cwd: folder });
      for (const name of readdirSync(folder).filter((name) => name.startsWith('a.cm'))) {
        const bytes = readFileSync(join(folder, name));
        expect(sniffContent(bytes, 0, bytes.length, bytes.length), name).toBe('ocaml');
        const read = await readAll(readOcaml, bytes);
        expect(isIncomplete(read), name).toBe(false);
        if (name !== 'a.cmt') continue;
        expect(bytes.toString('latin1') + texts(read).join('')).toContain('/home/alice/src/a.ml');
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
