import { crc32, deflateRawSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { sniffCodec } from '../../../src/formats/compression/sniff.ts';
import { needs } from '../../support/programs.ts';
import { filter, outcomeOf, reusedChunks, sample } from './support.ts';

const CONTENT = sample(3000);
const OTHER = sample(2000, 5);
const BOTH = Buffer.concat([CONTENT, OTHER]);

describe('gzip', () => {
  const member = (flags: number, fields: Buffer, data: Buffer): Buffer => {
    const trailer = Buffer.alloc(8);
    trailer.writeUInt32LE(crc32(data), 0);
    trailer.writeUInt32LE(data.length, 4);
    const start = Buffer.from([0x1f, 0x8b, 8, flags, 0, 0, 0, 0, 0, 3]);
    return Buffer.concat([start, fields, deflateRawSync(data), trailer]);
  };
  const text = Buffer.from('a name\0');
  const extra = Buffer.from([3, 0, 1, 2, 3]);

  it('reads every header field', async () => {
    const start = Buffer.from([0x1f, 0x8b, 8, 0x1e, 0, 0, 0, 0, 0, 3]);
    const fields = Buffer.concat([extra, text, text]);
    const crc = Buffer.alloc(2);
    crc.writeUInt16LE(crc32(Buffer.concat([start, fields])) & 0xffff);
    const whole = member(0x1e, Buffer.concat([fields, crc]), CONTENT);
    expect(await outcomeOf('gzip', reusedChunks(whole, [1]))).toMatchObject({ code: null, bytes: CONTENT });
    const wrong = member(0x1e, Buffer.concat([fields, Buffer.from([crc[0]! ^ 1, crc[1]!])]), CONTENT);
    expect((await outcomeOf('gzip', [wrong])).code).toBe('COMPRESSION_CORRUPT');
  });

  it('takes zeros behind a member, and members behind zeros', async () => {
    const zeros = Buffer.alloc(700);
    const padded = Buffer.concat([gzipSync(CONTENT), zeros, gzipSync(OTHER), zeros]);
    expect(await outcomeOf('gzip', reusedChunks(padded, [333]))).toMatchObject({ code: null, bytes: BOTH });
  });

  it('checks CRC and length', async () => {
    for (const back of [8, 4]) {
      const wrong = gzipSync(CONTENT);
      wrong[wrong.length - back]! ^= 1;
      expect(await outcomeOf('gzip', [wrong])).toMatchObject({ code: 'COMPRESSION_CORRUPT', bytes: CONTENT });
    }
  });

  it('decodes 100,000 empty members in little time', async () => {
    const empty = gzipSync(Buffer.alloc(0));
    const many = Buffer.alloc(100_000 * empty.length, empty);
    const started = performance.now();
    expect((await outcomeOf('gzip', reusedChunks(many, [65_536]))).code).toBe(null);
    expect(performance.now() - started).toBeLessThan(10_000);
  });
});

describe.skipIf(!needs('xz', 'lzip'))('xz and lzip', () => {
  const pack = (data: Buffer): Buffer => filter(data, 'xz', '-0');

  it('takes padding in fours between and behind streams only', async () => {
    const padded = Buffer.concat([pack(CONTENT), Buffer.alloc(8), pack(OTHER), Buffer.alloc(4)]);
    expect(await outcomeOf('xz', reusedChunks(padded, [5]))).toMatchObject({ code: null, bytes: BOTH });
    const odd = Buffer.concat([pack(CONTENT), Buffer.alloc(3)]);
    expect((await outcomeOf('xz', [odd])).code).toBe('COMPRESSION_TRUNCATED');
    const between = Buffer.concat([odd, pack(OTHER)]);
    expect(await outcomeOf('xz', [between])).toMatchObject({ code: 'COMPRESSION_TRAILING', bytes: CONTENT });
  });

  it('takes no dictionary over the limit', async () => {
    const large = filter(CONTENT, 'xz', '--lzma2=preset=0,dict=1GiB', '-M', '0');
    expect(await outcomeOf('xz', [large])).toMatchObject({ code: 'COMPRESSION_MEMORY' });
    const alone = filter(CONTENT, 'xz', '--format=lzma', '-0');
    alone.writeUInt32LE(0xffff_ffff, 1);
    expect((await outcomeOf('lzma', [alone])).code).toBe('COMPRESSION_MEMORY');
    const lzip = filter(CONTENT, 'lzip', '-0');
    lzip[5] = 29; // 512 MiB
    expect((await outcomeOf('lzip', [lzip])).code).toBe('COMPRESSION_MEMORY');
    const usual = { memoryBytes: 1024 * 1024 };
    expect((await outcomeOf('xz', [filter(CONTENT, 'xz', '-6')], usual)).code).toBe('COMPRESSION_MEMORY');
  });

  it('decodes all of a stream whose check is not known, and says so', async () => {
    const stream = filter(CONTENT, 'xz', '-0', '--check=crc32');
    const flags = Buffer.from([0, 2]); // the second reserved check has 4 bytes as CRC32 has
    flags.copy(stream, 6);
    stream.writeUInt32LE(crc32(flags), 8);
    flags.copy(stream, stream.length - 4);
    stream.writeUInt32LE(crc32(stream.subarray(-8, -2)), stream.length - 12);
    const outcome = await outcomeOf('xz', [stream]);
    expect(outcome).toMatchObject({ code: 'COMPRESSION_UNSUPPORTED', bytes: CONTENT });
  });
});

describe.skipIf(!needs('zstd', 'lz4'))('zstd and lz4', () => {
  const skippable = Buffer.concat([Buffer.from([0x5a, 0x2a, 0x4d, 0x18, 20, 0, 0, 0]), Buffer.alloc(20, 7)]);
  const zstd = (data: Buffer): Buffer => filter(data, 'zstd', '-q', '-c');
  const lz4 = (data: Buffer): Buffer => filter(data, 'lz4', '-q', '-c');

  it('skips skippable frames anywhere', async () => {
    for (const [codec, pack] of [['zstd', zstd] as const, ['lz4', lz4] as const]) {
      const whole = Buffer.concat([skippable, pack(CONTENT), skippable, skippable, pack(OTHER), skippable]);
      expect(sniffCodec(whole.subarray(0, 64), null)).toBe(codec);
      expect(await outcomeOf(codec, reusedChunks(whole, [9]))).toMatchObject({ code: null, bytes: BOTH });
      const cut = await outcomeOf(codec, [whole.subarray(0, -1)]);
      expect(cut).toMatchObject({ code: 'COMPRESSION_TRUNCATED', bytes: BOTH });
    }
  });

  it('takes no zstd window over the limit', async () => {
    const frame = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, 21 << 3, 1, 0, 0]); // a window of 2 GiB
    expect((await outcomeOf('zstd', [frame])).code).toBe('COMPRESSION_MEMORY');
    frame[5] = 17 << 3; // 128 MiB
    expect((await outcomeOf('zstd', [frame])).code).toBe(null);
    expect((await outcomeOf('zstd', [frame], { zstdWindowLog: 20 })).code).toBe('COMPRESSION_MEMORY');
  });

  it('wants no zstd dictionary', async () => {
    const frame = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x01, 0, 77, 1, 0, 0]);
    expect((await outcomeOf('zstd', [frame])).code).toBe('COMPRESSION_UNSUPPORTED');
  });

  it('decodes many small zstd frames in little time', async () => {
    const frame = zstd(Buffer.from('/home/alice '));
    const many = Buffer.concat(Array.from({ length: 20_000 }, () => frame));
    const started = performance.now();
    const outcome = await outcomeOf('zstd', reusedChunks(many, [65_536]));
    expect(outcome).toMatchObject({ code: null });
    expect(outcome.bytes.length).toBe(12 * 20_000);
    expect(performance.now() - started).toBeLessThan(10_000);
  });

  it('reads legacy lz4 frames, and takes a full last block for a cut', async () => {
    const legacy = filter(CONTENT, 'lz4', '-q', '-l', '-c');
    const joined = Buffer.concat([legacy, lz4(OTHER), legacy]);
    const expected = Buffer.concat([BOTH, CONTENT]);
    expect(await outcomeOf('lz4', reusedChunks(joined, [50]))).toMatchObject({ code: null, bytes: expected });
    const full = filter(Buffer.alloc(8 * 1024 * 1024), 'lz4', '-q', '-l', '-c');
    expect((await outcomeOf('lz4', [full])).code).toBe('COMPRESSION_TRUNCATED');
  });
});

describe('sniffCodec', () => {
  it('goes by the ending where there is no magic', () => {
    const nothing = Buffer.from('nothing that is known of it........');
    expect(sniffCodec(nothing, 'x.nar.br')).toBe('br');
    expect(sniffCodec(nothing, 'x.nar.lzip')).toBe('lzip');
    expect(sniffCodec(nothing, 'x.Z')).toBe('compress');
    expect(sniffCodec(nothing, 'x.nar')).toBe(null);
    expect(sniffCodec(nothing, null)).toBe(null);
    expect(sniffCodec(Buffer.alloc(0), 'x.nar.xz')).toBe('xz');
  });

  it('does not take a NAR or text for a compressed stream', () => {
    const nar = Buffer.from('\r\0\0\0\0\0\0\0nix-archive-1\0\0\0\x01\0\0\0\0\0\0\0(', 'latin1');
    expect(sniffCodec(nar, 'x.nar')).toBe(null);
    expect(sniffCodec(Buffer.from('BZh9 is what bzip2 files begin with'), null)).toBe(null);
  });

  it('leaves brotli its name, since its bytes can look like a short magic', () => {
    const head = Buffer.concat([Buffer.from([0x1f, 0x8b, 0x08, 0x00]), Buffer.alloc(28, 1)]);
    expect(sniffCodec(head, 'x.nar.br')).toBe('br');
    expect(sniffCodec(head, 'x.nar')).toBe('gzip');
  });
});
