import { describe, expect, it } from 'vitest';
import { progressLine, scanText, transferText } from '../../src/cli/progress.ts';

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
      scanText,
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
      scanText,
      () => time,
    );
    time = 5000;
    line.update({ ...half, bytesTotal: null });
    expect(written).toBe('\r\x1b[K1.50 GB, 300 MB/s, ');
  });

  it('shows paths and bytes that a copy has sent of all, the rate, and what is ready to be sent', () => {
    const progress = { paths: 2, pathsTotal: 1234, bytes: 2e6, bytesTotal: 3e9, staged: 5e6 };
    expect(transferText(progress, 2000)).toBe(
      '2 of 1,234 paths, 2.00 MB of 3.00 GB sent, 1.00 MB/s, 3.00 MB ready',
    );
    expect(transferText({ ...progress, staged: 2e6 }, 2000)).toMatch(/sent, 1\.00 MB\/s$/);
  });
});
