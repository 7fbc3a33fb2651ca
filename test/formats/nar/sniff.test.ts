import { describe, expect, it } from 'vitest';
import { SNIFF_BYTES, sniffNar } from '../../../src/formats/nar/sniff.ts';
import { exported, file, nar, symlink, uint64 } from '../../support/narWriter.ts';

const NAR = nar(symlink('a'));
const EXPORT = exported(nar(file('')), '/nix/store/x');

describe('what a stream is', () => {
  it('is told from its first 32 bytes', () => {
    expect(SNIFF_BYTES).toBe(32);
    expect(sniffNar(NAR.subarray(0, 32))).toBe('nar');
    expect(sniffNar(EXPORT.subarray(0, 32))).toBe('export');
    expect(sniffNar(NAR)).toBe('nar');
    expect(sniffNar(EXPORT)).toBe('export');
  });

  it('may be an export of nothing, which is eight zeros and no more', () => {
    expect(sniffNar(uint64(0))).toBe('export');
    expect(sniffNar(Buffer.alloc(7))).toBeNull();
    expect(sniffNar(Buffer.alloc(9))).toBeNull();
    expect(sniffNar(Buffer.alloc(32))).toBeNull();
  });

  it('is neither where a byte of the magic is wrong or missing', () => {
    for (const [bytes, size] of [
      [NAR, 24],
      [EXPORT, 32],
    ] as const) {
      expect(sniffNar(bytes.subarray(0, size))).not.toBeNull();
      for (let at = 0; at < size; at++) {
        const damaged = Buffer.from(bytes.subarray(0, 32));
        damaged.writeUInt8(damaged.readUInt8(at) ^ 0x80, at);
        expect(sniffNar(damaged)).toBeNull();
        expect(sniffNar(bytes.subarray(0, at))).toBeNull();
      }
    }
  });

  it('is neither for text, an ELF file, or nothing', () => {
    expect(sniffNar(Buffer.alloc(0))).toBeNull();
    expect(sniffNar(Buffer.from('nix-archive-1 is the magic of a NAR'))).toBeNull();
    expect(sniffNar(Buffer.from('\x7fELF\x02\x01\x01'))).toBeNull();
  });
});
