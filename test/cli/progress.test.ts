import { describe, expect, it } from 'vitest';
import { progressLine } from '../../src/cli/progress.ts';

const half = {
  bytes: 1_500_000_000,
  files: 1234,
  outputsLeft: 2,
  outputsKnown: 1988,
  bytesTotal: 3_000_000_000,
};

describe('the progress line', () => {
  it('shows bytes, rate, files and outputs left, not at once and not too often', () => {
    let time = 0;
    const written: string[] = [];
    const line = progressLine(
      (text) => written.push(text),
      100,
      () => time,
    );
    line.update(half);
    line.clear();
    expect(written).toEqual([]);
    time = 1500;
    for (let at = 0; at < 50; at++) line.update(half);
    expect(written).toEqual([
      '\r\x1b[K1.50 GB of 3.00 GB, 1.00 GB/s, 1,234 files, 2 outputs left, 1,988 known',
    ]);
    line.clear();
    line.clear();
    expect(written.slice(1)).toEqual(['\r\x1b[K']);
  });

  it('stays within the terminal and does without a total', () => {
    let time = 0;
    let written = '';
    const line = progressLine(
      (text) => (written = text),
      20,
      () => time,
    );
    time = 5000;
    line.update({ ...half, bytesTotal: null });
    expect(written).toBe('\r\x1b[K1.50 GB, 300 MB/s, ');
  });
});
