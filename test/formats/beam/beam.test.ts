import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { readBeam } from '../../../src/formats/beam/beam.ts';
import { needs } from '../../support/programs.ts';
import { sample } from '../compression/support.ts';
import { isIncomplete, readAll, texts } from '../zlib/support.ts';

const LEAK = Buffer.from('/home/alice/src/a.erl');

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function chunk(id: string, data: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(id), u32(data.length), data, Buffer.alloc(-data.length & 3)]);
}

const term = (data: Buffer): Buffer =>
  Buffer.concat([Buffer.from([131, 80]), u32(data.length), deflateSync(data)]);
const literals = (data: Buffer): Buffer => Buffer.concat([u32(data.length), deflateSync(data)]);

function beam(...chunks: Buffer[]): Buffer {
  const body = Buffer.concat([Buffer.from('BEAM'), ...chunks]);
  return Buffer.concat([Buffer.from('FOR1'), u32(body.length), body]);
}

const ATOMS = chunk('AtU8', Buffer.from('\0\0\0\x01\x01a'));

describe('a BEAM file', () => {
  it('gives its literals and every packed term', async () => {
    const large = sample(1_500_000);
    const bytes = beam(
      ATOMS,
      chunk('LitT', literals(LEAK)),
      chunk('Dbgi', term(LEAK)),
      chunk('CInf', Buffer.from([131, 106])),
      chunk('Docs', term(large)),
    );
    const read = await readAll(readBeam, bytes);
    expect(read.members.map(({ bytes }) => bytes)).toEqual([LEAK, LEAK, large]);
    expect(read.faults).toEqual([]);
    const at = bytes.indexOf(deflateSync(LEAK));
    expect(read.members[0]).toMatchObject({ name: `zlib@${at}`, offset: at, code: null });
  });

  it('whose literals are not packed holds nothing of them', async () => {
    const bytes = beam(
      ATOMS,
      chunk('LitT', Buffer.concat([u32(0), LEAK])),
      chunk('Attr', Buffer.from([131])),
    );
    expect(await readAll(readBeam, bytes)).toEqual({ members: [], faults: [] });
  });

  it('that is cut is never whole', async () => {
    const whole = beam(ATOMS, chunk('Dbgi', term(sample(500))), chunk('LitT', literals(LEAK)));
    for (let end = 12; end < whole.length; end += 1) {
      expect(isIncomplete(await readAll(readBeam, whole.subarray(0, end))), `cut at ${end}`).toBe(true);
    }
  });

  it('with a damaged or a false chunk is corrupt', async () => {
    const damaged = await readAll(
      readBeam,
      beam(chunk('LitT', Buffer.concat([u32(9), LEAK])), chunk('Docs', term(LEAK))),
    );
    expect(damaged.members[0]?.code).toBe('COMPRESSION_CORRUPT');
    expect(damaged.members[1]?.bytes).toEqual(LEAK);
    const trailing = await readAll(readBeam, beam(chunk('Docs', Buffer.concat([term(LEAK), LEAK]))));
    expect(trailing.faults).toEqual(['corrupt@55']);
    const long = beam(ATOMS);
    long.writeUInt32BE(10_000, 16);
    expect((await readAll(readBeam, long)).faults).toEqual(['corrupt@12']);
  });

  it.skipIf(!needs('erlc'))('as erlc writes it', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'beam-'));
    try {
      const text = `${LEAK.toString()} `.repeat(30);
      writeFileSync(join(folder, 'a.erl'), `-module(a).\n-export([f/0]).\nf() -> {"${text}", <<"b">>}.\n`);
      execFileSync('erlc', ['+debug_info', 'a.erl'], { cwd: folder });
      const bytes = readFileSync(join(folder, 'a.beam'));
      const read = await readAll(readBeam, bytes);
      expect(isIncomplete(read)).toBe(false);
      expect(texts(read).join('')).toContain(LEAK.toString());
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
