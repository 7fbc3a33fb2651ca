import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bytesOfByteString } from '../../src/model/bytes.ts';
import { LIMITS } from '../../src/model/limits.ts';
import { writeElf } from '../support/elfWriter.ts';
import { Contents, said } from './support.ts';

const OWN = '0c4l1hjbxz8m6n0gi9g2a8m0ry1xv4s7';
const HASH = '1c4l1hjbxz8m6n0gi9g2a8m0ry1xv4s7';
const LONG = `/data/${'deep/'.repeat(100)}zoe`;
const LONGEST = `/data/${'deeper/'.repeat(560)}zoe`;
const KNOWN = {
  homes: ['/home/zoe', '/data/people/zoe', '/data/kolya', '/srv/home/home/y', LONG, LONGEST, '/h/x'],
  aliases: ['/gpfs/zoe/pile', '/home/zoe/nix/store'],
  hashParts: [OWN],
};

const contents = new Contents(KNOWN);

/** Bytes of many kinds: what stands around a leak decides what the rules read. */
const filler = fc.oneof(
  fc.uint8Array({ maxLength: 64 }).map((bytes) => Buffer.from(bytes)),
  fc
    .tuple(fc.constantFrom('\0', 'a', '/', '.', ' ', '\xff', '/home/', '../', 'x/', '-', ':'), fc.nat(6000))
    .map(([unit, length]) => Buffer.from(unit.repeat(Math.ceil(length / unit.length)), 'latin1')),
);
const planted = fc
  .constantFrom(
    '/home/zoe',
    '/home/zoe/nix/store',
    '/home/alice/x',
    '/Users/zoe/',
    '/var/home/zoe',
    'C:\\Users\\zoe\\',
    '/root/x',
    LONG,
    LONGEST,
    '/data/kolya',
    '/data/people/zoe...',
    '/h/x',
    '/tmp/nix-build-x',
    `/gpfs/zoe/pile/${HASH}-x`,
    `/opt/x/nix/store/${HASH}-name/`,
    `/opt/pile/${OWN}-name/`,
    `/nix/store/${HASH}-x/etc/`,
    `/home/bob/nix/store/${HASH}-x`,
    'PK\x05\x06',
  )
  .map((text) => Buffer.from(text, 'latin1'));
const content = fc
  .array(fc.tuple(filler, planted), { minLength: 1, maxLength: 8 })
  .map((parts) => Buffer.concat(parts.flat()));

describe('a content in pieces', () => {
  it('gives the same facts as in one', () => {
    fc.assert(
      fc.property(content, fc.array(fc.integer({ min: 0, max: 9000 }), { maxLength: 20 }), (bytes, sizes) => {
        expect(contents.pieces(bytes, sizes)).toEqual(contents.whole(bytes));
      }),
      { numRuns: 300 },
    );
  });

  it('gives the same facts wherever the one edge is', () => {
    const around = 'x'.repeat(2 * LIMITS.contextBytes);
    const bytes = bytesOfByteString(
      `${around}/home/zoe/x /opt/x/nix/store/${HASH}-name ${LONG}/data/kolya/${around}`,
    );
    const expected = contents.whole(bytes);
    expect(expected.findings).toHaveLength(4);
    for (let edge = LIMITS.contextBytes; edge < bytes.length; edge++)
      expect(contents.pieces(bytes, [edge]), `edge at ${edge}`).toEqual(expected);
  });
});

describe('a known home', () => {
  const home = fc.constantFrom(...KNOWN.homes);

  it('is found at its place in any bytes, whatever stands before it', () => {
    const after = fc.constantFrom('', '/', '/x', '\0', '\xff', ' ', '"', ':', '...', '\n');
    fc.assert(
      fc.property(
        filler,
        fc.uint8Array({ maxLength: 8 }),
        home,
        after,
        filler,
        (far, near, path, end, rest) => {
          const before = Buffer.concat([far, near]);
          const bytes = Buffer.concat([
            before,
            Buffer.from(path + end, 'latin1'),
            end === '' ? Buffer.alloc(0) : Buffer.concat([Buffer.from('\0'), rest]),
          ]);
          const found = contents
            .whole(bytes)
            .findings.filter(({ rule, severity }) => rule === 'known-home' && severity === 'error');
          expect(found.length).toBeGreaterThan(0);
          // listed at its place, or counted with those that are listed
          const here = found.some(({ offset, marked }) => {
            const start = offset ?? -1;
            return start <= before.length && start + marked[1] - marked[0] >= before.length + path.length;
          });
          expect(here || found.some(({ more }) => more > 0)).toBe(true);
        },
      ),
      { numRuns: 500 },
    );
  });

  it.each(KNOWN.homes)('is found alone, at the start and at the end: %s', (path) => {
    for (const text of [path, `${path}/x`, `x${path}`])
      expect(contents.whole(text).findings.map(({ rule }) => rule)).toEqual(['known-home']);
  });
});

describe('many leaks', () => {
  it('of one kind are counted exactly', () => {
    const { findings, gaps } = contents.whole('/home/zoe '.repeat(100_000));
    expect(gaps).toEqual([]);
    expect(findings).toHaveLength(LIMITS.findingsPerKind);
    expect(findings.reduce((sum, { more }) => sum + 1 + more, 0)).toBe(100_000);
  });

  it('of many kinds do not hide a worse one, and are a gap', () => {
    const homes = Array.from({ length: 5000 }, (_, index) => `/home/u${index}x/`).join(' ');
    const { findings, gaps } = contents.whole(`${homes} /data/people/zoe`);
    expect(findings.map(said)).toContain('error known-home bytes /data/people/zoe -');
    expect(gaps).toMatchObject([{ reason: 'limit-entries' }]);
  });

  it('of an alias that lead to different paths are told apart, for some may be references', () => {
    const hashes = Array.from({ length: 40 }, (_, index) => HASH.slice(2) + String(index + 10));
    const { findings } = contents.whole(hashes.map((hash) => `/opt/nix/store/${hash}-x`).join('\n'));
    expect(findings.map(({ hashPart }) => hashPart)).toEqual(hashes);
  });
});

describe('a leak in a field of an ELF file', () => {
  const DT_RUNPATH = 29;
  const DT_NEEDED = 1;
  const elf = (strings: readonly (readonly [number, string])[], text = ''): Uint8Array =>
    writeElf({
      wide: true,
      big: false,
      strings,
      sections: [{ name: '.rodata', bytes: bytesOfByteString(text) }],
    });

  it.each([
    ['/home/alice/lib', 'error foreign-home runpath /home/alice -'],
    ['$ORIGIN:/home/alice/lib', 'error foreign-home runpath /home/alice -'],
    ['/root/lib', 'error root-home runpath /root -'],
    ['/home/user/lib', 'warning placeholder-home runpath /home/user -'],
    [`/opt/nix/store/${HASH}-x/lib`, 'error store-alias runpath - /opt/nix/store'],
  ])('DT_RUNPATH %s', (path, finding) => {
    const bytes = elf([[DT_RUNPATH, path]]);
    expect(contents.whole(bytes).findings.map(said)).toEqual([finding]);
    expect(contents.pieces(bytes, [100]).findings.map(said)).toEqual([finding]);
  });

  it('is found though the string begins in the middle of another', () => {
    const bytes = Buffer.from(elf([[DT_RUNPATH, 'libx/home/alice/lib']]));
    expect(contents.whole(bytes).findings).toEqual([]);
    // what the dynamic section says is where the string begins in the table: four bytes on
    const dynamic = bytes.indexOf(Buffer.from([DT_RUNPATH, 0, 0, 0, 0, 0, 0, 0, 1]));
    bytes.writeUInt32LE(1 + 4, dynamic + 8);
    const expected = [
      {
        offset: bytes.indexOf('/home/alice'),
        field: 'DT_RUNPATH',
        carrier: 'runpath',
        severity: 'error',
        section: '.dynstr',
        marked: [0, 11],
        evidence: '/home/alice/lib',
      },
    ];
    expect(contents.whole(bytes).findings).toMatchObject(expected);
    expect(contents.pieces(bytes, []).findings).toMatchObject(expected);
  });

  it('is found behind more harmless leaks of its kind than are remembered', () => {
    const text = '/home/alice '.repeat(LIMITS.hitsPerBinary + 10);
    const bytes = Buffer.from(
      elf([[DT_RUNPATH, '/no/such/lib/here/that/is/as/long']], text + '\0/home/alice/lib\0'),
    );
    // the runpath's string is the last of the file: the string table reaches that far
    const dynamic = bytes.indexOf(Buffer.from([DT_RUNPATH, 0, 0, 0, 0, 0, 0, 0, 1]));
    const table = bytes.indexOf('/no/such') - 1;
    bytes.writeUInt32LE(bytes.lastIndexOf('/home/alice/lib') - table, dynamic + 8);
    bytes.writeUInt32LE(
      bytes.length - table,
      bytes.indexOf(Buffer.from([10, 0, 0, 0, 0, 0, 0, 0]), dynamic) + 8,
    );
    const { findings, gaps } = contents.whole(bytes);
    expect(gaps).toEqual([]);
    expect(findings.map(said)).toContain('error foreign-home runpath /home/alice -');
  });

  it('is told once where several fields share it, as the worst of them', () => {
    const bytes = elf([
      [DT_NEEDED, '/home/user/lib'],
      [DT_RUNPATH, '/home/user/lib'],
    ]);
    const shared = Buffer.from(bytes);
    const dynamic = shared.indexOf(Buffer.from([DT_RUNPATH, 0, 0, 0, 0, 0, 0, 0]));
    shared.writeUInt32LE(1, dynamic + 8);
    expect(contents.whole(shared).findings.map(said)).toEqual([
      'warning placeholder-home runpath /home/user -',
      'note placeholder-home bytes /home/user -',
    ]);
  });
});

describe('the first line of a script', () => {
  it.each([
    ['#!/home/alice/bin/sh\n', 'error foreign-home shebang /home/alice -'],
    ['#! /root/bin/sh\n', 'error root-home shebang /root -'],
    ['#!/usr/bin/env -S /home/alice/x', 'error foreign-home shebang /home/alice -'],
    ['#!/bin/sh\n/home/alice/x', 'warning foreign-home bytes /home/alice -'],
  ])('%j', (text, finding) => {
    expect(contents.whole(text).findings.map(said)).toEqual([finding]);
    expect(contents.pieces(text, [1, 2, 3]).findings.map(said)).toEqual([finding]);
  });

  it('is a gap where it cannot be read again: nobody knows that a leak stands there', () => {
    const text = '#!/home/alice/bin/sh\n';
    const lost = { size: text.length, read: () => null };
    const { findings, gaps } = contents.pieces(text, [], 'file', lost);
    expect(findings.map(said)).toEqual(['warning foreign-home bytes /home/alice -']);
    expect(gaps.map(({ reason }) => reason)).toEqual(['unreadable']);
  });
});

describe('a container', () => {
  const zip = (count: number): Buffer => {
    const end = Buffer.alloc(22);
    end.write('PK\x05\x06', 'latin1');
    end.writeUInt16LE(count, 8);
    end.writeUInt16LE(count, 10);
    return end;
  };

  it('that is not opened is a gap, and its bytes are searched', () => {
    const gzip = Buffer.concat([Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]), Buffer.from('/home/zoe')]);
    const { findings, gaps } = contents.whole(gzip);
    expect(gaps).toMatchObject([{ reason: 'limit-depth' }]);
    expect(findings.map(said)).toEqual(['error known-home bytes /home/zoe -']);
  });

  it('behind a script or a program is a gap', () => {
    for (const front of [
      Buffer.from('#!/bin/sh\nexit\n'),
      Buffer.from(writeElf({ wide: true, big: false })),
    ]) {
      const bytes = Buffer.concat([front, zip(0)]);
      expect(contents.whole(bytes).gaps).toMatchObject([{ reason: 'limit-depth' }]);
      expect(contents.pieces(bytes, [front.length + 2]).gaps).toMatchObject([{ reason: 'limit-depth' }]);
    }
  });
});

it('nothing, and bytes without a leak, are nothing', () => {
  for (const text of ['', '\0', '/', 'x'.repeat(20_000), '/home/', `/nix/store/${HASH}-x`])
    expect(contents.whole(text)).toEqual({ findings: [], gaps: [] });
});

it('a content that broke off gives what was found, and the gap', () => {
  const inspector = new Contents(KNOWN);
  inspector.pieces('/home/zoe', [3]);
  const facts = inspector.inspector.broken({ reason: 'truncated', offset: 9, detail: 'x' });
  expect(facts.findings.map(said)).toEqual(['error known-home bytes /home/zoe -']);
  expect(facts.gaps).toMatchObject([{ reason: 'truncated' }]);
});
