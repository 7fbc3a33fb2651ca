import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { needs } from '../../support/programs.ts';

const DECOMPRESS = fileURLToPath(new URL('../../../src/formats/compression/decompress.ts', import.meta.url));

/** Decodes stdin in a process of its own; prints the decoded bytes and its peak RSS in MiB. */
const PROGRAM = `
  const { decompress } = await import(${JSON.stringify(DECOMPRESS)});
  const { readSync } = await import('node:fs');
  function* stdin() {
    const buffer = new Uint8Array(65536);
    for (let n; (n = readSync(0, buffer)) > 0; ) yield buffer.subarray(0, n);
  }
  let total = 0;
  for await (const chunk of decompress(process.argv[1], stdin())) total += chunk.length;
  console.log(total, Math.round(process.resourceUsage().maxRSS / 1024));
`;

const BOMBS = [
  ['xz', 'xz -T1 -9 -c'],
  ['zstd', 'zstd -q --ultra -20 --long=27 -c'],
  ['bzip2', 'bzip2 -9 -c'],
  ['gzip', 'gzip -9 -c'],
  ['br', 'brotli -q 3 -w 24 -c'],
  ['lz4', 'lz4 -q -c'],
  ['lzip', 'lzip -0 -c'],
  ['lzma', 'xz --format=lzma -0 -c'],
  ['compress', 'compress -c'],
] as const;

const BYTES = 256 * 1024 * 1024;

describe('memory', () => {
  for (const [codec, line] of BOMBS) {
    it.skipIf(!needs('sh', 'head', line.split(' ')[0]!))(`stays flat on zeros by ${line}`, () => {
      const made = spawnSync('sh', ['-c', `head -c ${BYTES} /dev/zero | ${line}`], { maxBuffer: 2 ** 28 });
      const result = spawnSync(process.execPath, ['--input-type=module', '-e', PROGRAM, codec], {
        input: made.stdout,
      });
      const [total, rss] = result.stdout.toString().split(' ').map(Number);
      expect(total, result.stderr.toString()).toBe(BYTES);
      expect(rss).toBeLessThan(256);
    });
  }
});
