import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliCompressSync, constants, crc32, createGzip, deflateRawSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { archive, entry, header, pax } from '../formats/tar/writer.ts';
import { narScanReport, onlyOutput } from '../support/narScan.ts';
import { writeZip } from '../support/zipWriter.ts';

/** A bomb must end within this, whatever the machine: the limits are there for no less. */
const SECONDS = 60;
const MiB = 1024 * 1024;

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'nar-scan-bombs-'));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Zeros, packed: a gigabyte is a megabyte. */
async function zeros(mebibytes: number): Promise<Buffer> {
  const gzip = createGzip({ level: 1 });
  const chunks: Buffer[] = [];
  gzip.on('data', (chunk: Buffer) => chunks.push(chunk));
  const ended = new Promise((resolve) => gzip.once('end', resolve));
  const block = Buffer.alloc(MiB);
  for (let written = 0; written < mebibytes; written++) {
    if (!gzip.write(block)) await new Promise((resolve) => gzip.once('drain', resolve));
  }
  gzip.end();
  await ended;
  return Buffer.concat(chunks);
}

function wrapped(times: number, wrap: (bytes: Buffer) => Buffer, inner: Buffer): Buffer {
  let bytes = inner;
  for (let turn = 0; turn < times; turn++) bytes = wrap(bytes);
  return bytes;
}

/** Sixteen copies of an archive in an archive. */
const sixteen = (inner: Buffer): Buffer =>
  Buffer.from(writeZip(Array.from({ length: 16 }, (_, k) => ({ name: `${k}.zip`, content: inner }))));

/** One member that every entry of the directory leads to. */
function overlapping(entries: number): Buffer {
  const content = Buffer.alloc(10 * MiB, 'a');
  const packed = deflateRawSync(content);
  const fields = Buffer.alloc(22);
  fields.writeUInt16LE(20, 0);
  fields.writeUInt16LE(8, 4);
  fields.writeUInt16LE(33, 8);
  fields.writeUInt32LE(crc32(content), 10);
  fields.writeUInt32LE(packed.length, 14);
  fields.writeUInt32LE(content.length, 18);
  const local = Buffer.concat([
    Buffer.from('PK\x03\x04', 'latin1'),
    fields,
    Buffer.from([1, 0, 0, 0]),
    Buffer.from('k'),
  ]);
  const central: Buffer[] = [];
  for (let k = 0; k < entries; k++) {
    const name = Buffer.from(String(k));
    const rest = Buffer.alloc(18);
    rest.writeUInt16LE(name.length, 0);
    central.push(Buffer.from('PK\x01\x02\x14\x00', 'latin1'), fields, rest, name);
  }
  const directory = Buffer.concat(central);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(entries, 4);
  end.writeUInt16LE(entries, 6);
  end.writeUInt32LE(directory.length, 8);
  end.writeUInt32LE(local.length + packed.length, 12);
  return Buffer.concat([local, packed, directory, Buffer.from('PK\x05\x06', 'latin1'), end]);
}

/** An xz stream whose header asks for a dictionary of 4 GiB. */
function greedyXz(): Buffer {
  const stream = Buffer.from('fd377a585a000001', 'hex');
  const block = Buffer.from('020021012800000000000000', 'hex').subarray(0, 8);
  const sum = (bytes: Buffer): Buffer => {
    const word = Buffer.alloc(4);
    word.writeUInt32LE(crc32(bytes));
    return word;
  };
  return Buffer.concat([stream, sum(stream.subarray(6)), block, sum(block), Buffer.alloc(100, 1)]);
}

const BOMBS: Readonly<Record<string, () => Promise<Buffer> | Buffer>> = {
  'zeros.gz': () => zeros(1024),
  'zeros.br': () =>
    brotliCompressSync(Buffer.alloc(200 * MiB), { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } }),
  'nested.gz': () => wrapped(40, (bytes) => gzipSync(bytes), Buffer.from('/home/noamyr/x')),
  'copies.zip': async () => wrapped(4, sixteen, sixteen(await zeros(200))),
  'overlapping.zip': () => overlapping(60_000),
  'huge.tar': () =>
    Buffer.concat([header({ name: 'x', sizeField: `\x80\0\0\0\x10${'\0'.repeat(7)}` }), Buffer.alloc(1024)]),
  'pax.tar': () => archive(pax({ comment: 'a'.repeat(20 * MiB) }), entry({ name: 'x' }, 'x')),
  'headers.tar': () =>
    Buffer.concat([...Array.from({ length: 20_000 }, () => pax({ comment: 'a' })), Buffer.alloc(1024)]),
  'greedy.xz': greedyXz,
  // a window of 2 GiB, then a block
  'greedy.zst': () => Buffer.from('28b52ffd00a8010000', 'hex'),
};

describe('a bomb', () => {
  for (const [name, make] of Object.entries(BOMBS)) {
    it(
      `such as ${name} is incomplete, and soon`,
      async () => {
        const path = join(folder, name);
        writeFileSync(path, await make());
        const { status, report } = narScanReport(['--no-host-homes', '--home', '/home/noamyr', path]);
        expect([status, onlyOutput(report).verdict]).toEqual([3, 'incomplete']);
      },
      SECONDS * 1000,
    );
  }

  it(
    'of members is incomplete',
    () => {
      const path = join(folder, 'members.tar');
      const records = Buffer.concat(Array.from({ length: 1000 }, (_, k) => header({ name: `f${k}` })));
      writeFileSync(path, Buffer.concat([...Array.from({ length: 100 }, () => records), Buffer.alloc(1024)]));
      const args = ['--no-host-homes', '--home', '/home/noamyr', path];
      expect(narScanReport([...args]).status).toBe(0);
      const { status, report } = narScanReport([...args, '--max-members', '99999']);
      expect([status, onlyOutput(report).gaps.map(({ reason }) => reason)]).toEqual([3, ['limit-entries']]);
    },
    SECONDS * 1000,
  );
});
