import fc from 'fast-check';
import { deflateRawSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { readZip } from '../../../src/formats/zip/zip.ts';
import type { RangeReader } from '../../../src/formats/ranges.ts';
import { NarScanError } from '../../../src/model/errors.ts';
import { wholeReader } from '../../support/rangeReaders.ts';
import { writeZip } from '../../support/zipWriter.ts';
import type { ZipMember, ZipShape } from '../../support/zipWriter.ts';
import { isFaulty, readAll } from './support.ts';
import type { ReadArchive } from './support.ts';

const LEAK = 'see /home/alice/src/x.c for more\n';
const leaking: ZipMember = { name: 'leak', content: LEAK };
const harmless: ZipMember = { name: 'other', content: 'nothing to see\n' };

const hasLeak = ({ members }: ReadArchive): boolean =>
  members.some(({ content, target }) => content === LEAK || target === LEAK);

describe('local header and central directory', () => {
  const cases: [string, Partial<ZipMember>][] = [
    ['name', { local: { name: 'lead' } }],
    ['method', { local: { method: 0 } }],
    ['flags', { local: { flags: 1 } }],
    ['CRC-32', { local: { crc: 1 } }],
    ['packed size', { local: { packed: 4 } }],
    ['size', { local: { size: 4 } }],
    ['CRC-32', { descriptor: 'signed', local: { crc: 1 } }],
    ['size', { descriptor: 'plain', local: { size: 5 } }],
    ['CRC-32, packed size, size', { local: { crc: 0, packed: 0, size: 0 } }],
  ];
  test.each(cases)('that disagree about the %s are a fault: %j', async (words, change) => {
    const read = await readAll(writeZip([harmless, { ...leaking, ...change }, harmless]));
    expect(read.faults).toContain(`corrupt: local header and central directory disagree: ${words}`);
    expect(hasLeak(read)).toBe(true);
  });

  test.each([
    { flags: 8, crc: 0, packed: 0, size: 0 },
    { crc: 0 },
    { packed: 0xffff_ffff, size: 0xffff_ffff },
  ])('agree where a data descriptor has what the local header leaves out: %j', async (local) => {
    const read = await readAll(writeZip([{ ...leaking, descriptor: 'signed', local }]));
    expect(isFaulty(read)).toBe(false);
  });

  test('that disagree are both believed', async () => {
    const content = `${'harmless '.repeat(9)}${LEAK}`;
    const member = { name: 'x', content, central: { packed: 5, size: 5, method: 0 } };
    const read = await readAll(writeZip([member]));
    expect(read.faults.length).toBe(1);
    expect(read.members.map(({ content: got }) => got)).toContain(content);
  });

  test('of which one is missing are a fault, and what is there is read', async () => {
    const read = await readAll(writeZip([{ ...leaking, central: { offset: 7 } }, harmless]));
    expect(read.faults).toEqual(['corrupt: no local header stands where the central directory says']);
    expect(hasLeak(read)).toBe(true);
  });

  test.each(['signed', 'plain', 'signed64', 'plain64'] as const)(
    'may have a descriptor that says the same, or it is a fault: %s',
    async (descriptor) => {
      const bytes = Buffer.from(writeZip([{ ...leaking, method: 0, descriptor }, harmless]));
      bytes[bytes.indexOf(LEAK) + LEAK.length + 5]! ^= 1;
      const read = await readAll(bytes);
      expect(read.faults).toContain('corrupt: the data descriptor disagrees');
      expect(hasLeak(read)).toBe(true);
    },
  );
});

describe('members that are not listed', () => {
  const places: [string, ZipMember[], ZipShape][] = [
    ['first', [{ ...leaking, hidden: true }, harmless], {}],
    ['between', [harmless, { ...leaking, hidden: true, before: Buffer.alloc(5) }, harmless], {}],
    ['last', [harmless, { ...leaking, hidden: true }], {}],
    ['alone', [{ ...leaking, hidden: true }], {}],
    [
      'of an unknown kind',
      [harmless, { ...leaking, hidden: true, method: 0, flags: 0x400, name: 'a\0' }],
      {},
    ],
    ['streamed', [harmless, { ...leaking, hidden: true, descriptor: 'signed' }, harmless], {}],
    ['before the archive', [harmless], { prefix: writeZip([leaking]), relative: true }],
    ['behind the directory', [harmless], { afterDirectory: writeZip([leaking]).slice(0, -22) }],
    ['in the comment', [harmless], { comment: writeZip([leaking]).slice(0, -22) }],
    ['behind the archive', [harmless], { suffix: writeZip([leaking]).slice(0, -22) }],
  ];
  test.each(places)('are read and are a fault: %s', async (_, members, shape) => {
    const read = await readAll(writeZip(members, shape));
    expect(read.faults).toContain('corrupt: a member that the central directory does not list');
    expect(hasLeak(read)).toBe(true);
    const listed = members.filter(({ hidden }) => hidden !== true);
    expect(read.members.length).toBe(listed.length + 1);
  });

  test('are read, and no fault, within what stands before the archive', async () => {
    const prefix = Buffer.concat([Buffer.from('\x7fELF'), writeZip([leaking])]);
    const read = await readAll(writeZip([harmless], { prefix, relative: true }));
    expect(read.faults).toEqual([]);
    expect(hasLeak(read)).toBe(true);
  });

  test('end with their descriptor where nothing else says it', async () => {
    const stored = { ...leaking, method: 0, descriptor: 'signed' } as const;
    const whole = writeZip([stored, { ...leaking, descriptor: 'plain' }, stored, harmless]);
    const read = await readAll(whole.slice(0, Buffer.from(whole).indexOf('PK\x01\x02')));
    expect(read.members.map(({ content }) => content)).toEqual([LEAK, LEAK, LEAK, harmless.content]);
  });

  test('are all read where the end of the archive is cut off', async () => {
    const whole = writeZip([harmless, { ...leaking, descriptor: 'signed' }, harmless]);
    const directory = Buffer.from(whole).indexOf('PK\x01\x02');
    for (const cut of [directory, directory + 50, whole.length - 22, whole.length - 1]) {
      const read = await readAll(whole.slice(0, cut));
      expect(read.faults).toEqual(['corrupt: there is no readable central directory']);
      expect(read.members.map(({ name, error }) => [name, error])).toEqual([
        ['other', null],
        ['leak', null],
        ['other', null],
      ]);
      expect(hasLeak(read)).toBe(true);
    }
  });

  test('are read as far as they go where the archive is cut within one', async () => {
    const whole = writeZip([harmless, { ...leaking, method: 0 }]);
    const read = await readAll(whole.slice(0, Buffer.from(whole).indexOf(LEAK) + 20));
    expect(read.members.at(-1)).toMatchObject({ content: LEAK.slice(0, 20), error: 'CONTAINER_CORRUPT' });
    expect(read.faults.length).toBe(1);
  });
});

describe('the end of an archive', () => {
  test.each<[string, ZipShape]>([
    ['two end records', { comment: writeZip([]) }],
    ['two archives in a row', { suffix: writeZip([leaking]) }],
    ['what only looks like another', { comment: Buffer.from('PK\x05\x06') }],
    ['bytes behind it', { suffix: Buffer.from('more') }],
    ['a wrong count', { entries: 7 }],
    ['two directories', { afterDirectory: writeZip([{ name: 'evil' }]).slice(-72, -22) }],
    [
      'an end record that cannot be',
      { prefix: Buffer.alloc(9), relative: true, afterDirectory: Buffer.alloc(20) },
    ],
  ])('is a fault with %s', async (_, shape) => {
    const read = await readAll(writeZip([leaking], shape));
    expect(read.faults).not.toEqual([]);
    expect(hasLeak(read)).toBe(true);
  });

  test('may be padded with zeros', async () => {
    expect(isFaulty(await readAll(writeZip([leaking], { suffix: Buffer.alloc(500) })))).toBe(false);
  });

  test('of one of several volumes is unsupported, and what is there is read', async () => {
    const read = await readAll(writeZip([leaking], { disk: 3 }));
    expect(read.faults).toEqual(['unsupported: one of several volumes']);
    expect(hasLeak(read)).toBe(true);
  });

  test('needs its ZIP64 twin where the locator says', async () => {
    const bytes = Buffer.from(writeZip([leaking], { wide: true, prefix: writeZip([], { wide: true }) }));
    const locator = bytes.lastIndexOf('PK\x06\x07');
    bytes.writeUInt32LE(0, locator + 8);
    expect((await readAll(bytes)).faults).toContain('corrupt: two ZIP64 end records');
    bytes.writeUInt32LE(5, locator + 8);
    bytes[locator - 56] = 0;
    expect(isFaulty(await readAll(bytes))).toBe(true);
  });

  test('may say one thing and its ZIP64 twin another', async () => {
    const bytes = Buffer.from(writeZip([leaking], { wide: true }));
    bytes.writeUInt16LE(2, bytes.length - 12);
    expect((await readAll(bytes)).faults).toEqual(['corrupt: the end record and its ZIP64 twin disagree']);
  });
});

describe('a member', () => {
  test.each(['../x', 'a/../../x', 'a\\..\\x', '..', 'a\0b'])(
    'has a name that is a fault: %j',
    async (name) => {
      const read = await readAll(writeZip([{ ...leaking, name }]));
      expect(read.faults).toEqual([expect.stringMatching(/^corrupt: the name holds/)]);
      expect(hasLeak(read)).toBe(true);
    },
  );

  test.each(['..x', 'x..', '/home/alice/x', 'a...b/c', 'C:\\x'])(
    'has a name that is none: %j',
    async (name) => {
      expect((await readAll(writeZip([{ ...leaking, name }]))).faults).toEqual([]);
    },
  );

  test('with a wrong CRC is read, and then it is a fault', async () => {
    for (const method of [0, 8]) {
      const wrong = { crc: 1 };
      const read = await readAll(writeZip([{ ...leaking, method, local: wrong, central: wrong }]));
      expect(read.members[0]).toMatchObject({ content: LEAK, error: 'CONTAINER_CORRUPT' });
    }
  });

  test('is read to its end, longer or shorter than it says', async () => {
    for (const size of [5, 5000, 5_000_000]) {
      const wrong = { size };
      const read = await readAll(writeZip([{ ...leaking, local: wrong, central: wrong }]));
      expect(read.members[0]).toMatchObject({ content: LEAK, error: 'CONTAINER_CORRUPT' });
    }
  });

  test('with more than one stream in its data is a fault', async () => {
    const packed = Buffer.concat([deflateRawSync(LEAK), deflateRawSync(LEAK)]);
    const read = await readAll(writeZip([{ ...leaking, packed }]));
    expect(read.members[0]).toMatchObject({ content: LEAK, error: 'CONTAINER_CORRUPT' });
  });

  test('that is encrypted, or packed in an unknown way, is a fault of its own', async () => {
    const read = await readAll(
      writeZip([
        { ...harmless, flags: 1 },
        { ...harmless, method: 97 },
        { ...harmless, flags: 0x41 },
        leaking,
      ]),
    );
    expect(read.faults).toEqual([
      'encrypted: the member is encrypted',
      'unsupported: compression method 97',
      'encrypted: central header: strong encryption is not supported',
      'encrypted: the member is encrypted',
    ]);
    expect(hasLeak(read)).toBe(true);
  });

  test('with an entry that is not understood is read by its local header', async () => {
    for (const extra of [
      [1, 0, 200, 0],
      [1, 0, 0, 0, 1, 0, 0, 0],
    ]) {
      const read = await readAll(
        writeZip([{ ...leaking, central: { extra: Buffer.from(extra) } }, harmless]),
      );
      expect(read.faults).toEqual([expect.stringMatching(/^corrupt: central header: /)]);
      expect(hasLeak(read)).toBe(true);
      expect(read.members.length).toBe(2);
    }
  });
});

describe('members that overlap', () => {
  test('are a fault, and so are two entries for one', async () => {
    const twice = await readAll(writeZip([leaking, { ...leaking, central: { offset: 0 } }]));
    expect(twice.faults).toContain('corrupt: the entry leads to a member that another one has');
    const inner = writeZip([leaking]).slice(0, -22 - 46 - 4);
    const nested = await readAll(
      writeZip([
        { name: 'outer', method: 0, content: inner },
        { ...leaking, hidden: false, central: { offset: 35 } },
      ]),
    );
    expect(nested.faults).toContain('corrupt: the member overlaps what follows it');
    expect(hasLeak(nested)).toBe(true);
  });

  test('are not expanded again and again', async () => {
    // Members of one stored block each, whose data hold all the members that follow.
    const count = 300;
    let rest: Uint8Array = deflateRawSync(Buffer.alloc(2_000_000));
    const headers: Uint8Array[] = [];
    for (let k = 0; k < count; k += 1) {
      const member = {
        name: `m${k}`,
        packed: rest,
        local: { packed: rest.length, size: 1 },
        central: { size: 1 },
      };
      const whole = writeZip([member]);
      headers.push(whole.slice(Buffer.from(whole).indexOf('PK\x01\x02'), -22));
      const block = whole.slice(0, 30 + member.name.length);
      const stored = Buffer.alloc(5);
      stored.writeUInt16LE(block.length, 1);
      stored.writeUInt16LE(~block.length & 0xffff, 3);
      rest = Buffer.concat([stored, block, rest]);
    }
    let at = 0;
    const directory = headers.toReversed().map((header, k) => {
      const entry = Buffer.from(header);
      entry.writeUInt32LE(at + 5, 42);
      at += 5 + 30 + `m${count - 1 - k}`.length;
      return entry;
    });
    const tail = Buffer.from(writeZip([]));
    const listed = Buffer.concat(directory);
    tail.writeUInt16LE(count, 10);
    tail.writeUInt32LE(listed.length, 12);
    tail.writeUInt32LE(rest.length, 16);
    const read = await readAll(Buffer.concat([rest, listed, tail]));
    const expanded = read.members.reduce((sum, { content }) => sum + (content?.length ?? 0), 0);
    expect(read.members.length).toBe(count);
    expect(read.faults.filter((fault) => fault.includes('overlaps')).length).toBe(count - 1);
    expect(expanded).toBeLessThan(20_000_000);
  });
});

describe('a source', () => {
  const bytes = writeZip([
    leaking,
    { ...leaking, content: Buffer.alloc(300_000, LEAK), method: 0 },
    harmless,
  ]);

  test('that fails at any read never makes the archive look sound', async () => {
    for (let failing = 0; ; failing += 1) {
      const whole = wholeReader(bytes);
      let reads = 0;
      const reader: RangeReader = {
        size: whole.size,
        read: (offset, length) => (reads++ >= failing ? null : whole.read(offset, length)),
      };
      let faults = 0;
      let members = 0;
      try {
        for await (const item of readZip(reader)) {
          if (item.item === 'fault') faults += 1;
          else if (item.contents !== null) for await (const chunk of item.contents) members += chunk.length;
        }
      } catch (error) {
        expect(error).toBeInstanceOf(NarScanError);
        faults += 1;
      }
      if (reads <= failing) {
        expect([faults, members]).toEqual([0, LEAK.length + 300_000 + 15]);
        return;
      }
      expect(faults).toBeGreaterThan(0);
    }
  });
});

describe('one wrong byte', () => {
  test.each<[string, Uint8Array]>([
    ['deflated', writeZip([harmless, leaking, { name: 'd/', method: 0 }])],
    [
      'with descriptors',
      writeZip([
        { ...harmless, descriptor: 'signed' },
        { ...leaking, descriptor: 'plain64' },
      ]),
    ],
    ['stored', writeZip([{ ...leaking, method: 0 }, harmless], { wide: true, comment: Buffer.from('hi') })],
    ['behind a script', writeZip([leaking], { prefix: Buffer.from('#!/bin/sh\n'), relative: true })],
  ])('anywhere leaves the leak to be found or makes a fault: %s', async (_, bytes) => {
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), async (at, change) => {
        const broken = Uint8Array.from(bytes);
        broken[at]! ^= change;
        const read = await readAll(broken);
        expect(hasLeak(read) || isFaulty(read)).toBe(true);
      }),
      { numRuns: 400 },
    );
  });
});
