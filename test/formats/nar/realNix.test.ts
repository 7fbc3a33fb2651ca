import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WELL_FORMED_TREES } from '../../../fixtures/recipes/narWellFormed.ts';
import { ExportParser } from '../../../src/formats/nar/exportStream.ts';
import type { ExportTrailer } from '../../../src/formats/nar/exportStream.ts';
import { base32Encode } from '../../../src/nix/base32.ts';
import { parsePathInStore } from '../../../src/nix/storePath.ts';
import { createHash } from 'node:crypto';
import { NarRecorder, linesOf, outcomeOf } from '../../support/narEvents.ts';
import { anyTree } from '../../support/narArbitrary.ts';
import { nar } from '../../support/narWriter.ts';
import { needs } from '../../support/programs.ts';

let work: string;
let env: NodeJS.ProcessEnv;

function run(program: string, args: readonly string[], input?: Buffer): Buffer {
  const result = spawnSync(program, args, { input, env, maxBuffer: 1 << 26 });
  if (result.error !== undefined) throw result.error;
  if (result.status !== 0) throw new Error(`${program} ${args.join(' ')}: ${result.stderr.toString()}`);
  return result.stdout;
}

beforeAll(() => {
  work = mkdtempSync(join(tmpdir(), 'nar-scan-nix-'));
  mkdirSync(join(work, 'etc'));
  writeFileSync(join(work, 'etc/nix.conf'), 'substituters =\nsandbox = false\nbuild-users-group =\n');
  env = {
    ...process.env,
    HOME: work,
    NIX_REMOTE: '',
    NIX_STORE_DIR: join(work, 'store'),
    NIX_STATE_DIR: join(work, 'var'),
    NIX_LOG_DIR: join(work, 'log'),
    NIX_CONF_DIR: join(work, 'etc'),
  };
});

afterAll(() => {
  rmSync(work, { recursive: true, force: true });
});

/** Lets Nix unpack a NAR and pack it again. */
function throughNix(bytes: Buffer): Buffer {
  const place = join(work, 'restored');
  rmSync(place, { recursive: true, force: true });
  run('nix-store', ['--restore', place], bytes);
  return run('nix-store', ['--dump', place]);
}

describe.skipIf(!needs('nix-store'))('beside the real Nix', () => {
  it.each(Object.entries(WELL_FORMED_TREES))(
    '%s: what Nix unpacks and packs is read as the same tree',
    (_name, tree) => {
      const dumped = throughNix(nar(tree));
      expect(dumped.equals(nar(tree))).toBe(true);
      expect(outcomeOf(dumped, [100])).toEqual({ lines: linesOf(tree), path: '', error: null });
    },
  );

  it('any tree goes through Nix and is read as the same tree', () => {
    fc.assert(
      fc.property(anyTree, (tree) => {
        expect(outcomeOf(throughNix(nar(tree)))).toEqual({ lines: linesOf(tree), path: '', error: null });
      }),
      { numRuns: 15 },
    );
  });

  it('reads what nix-store --export writes: trees, paths, references, derivers and NAR hashes', () => {
    const expression = join(work, 'two.nix');
    writeFileSync(
      expression,
      `let build = name: script: derivation {
        inherit name; system = builtins.currentSystem; builder = "/bin/sh"; PATH = "/usr/bin:/bin";
        args = [ "-c" script ];
      };
      one = build "one" "mkdir $out; echo hello > $out/file; chmod +x $out/file";
      in build "two" "mkdir -p $out/lib; ln -s \${one}/file $out/lib/link; : > $out/empty"`,
    );
    const drv = run('nix-instantiate', [expression]).toString().trim();
    const two = run('nix-store', ['-r', drv]).toString().trim();
    const one = run('nix-store', ['-q', '--references', two]).toString().trim();
    const stream = run('nix-store', ['--export', one, two]);

    const recorder = new (class extends NarRecorder {
      readonly trailers: ExportTrailer[] = [];
      readonly hashes: string[] = [];
      hash = createHash('sha256');
      narBegin(): void {
        this.hash = createHash('sha256');
      }
      narBytes(chunk: Uint8Array, start: number, end: number): void {
        this.hash.update(chunk.subarray(start, end));
      }
      trailer(trailer: ExportTrailer): void {
        this.trailers.push(trailer);
        this.hashes.push(`sha256:${base32Encode(this.hash.digest())}`);
      }
    })();
    const parser = new ExportParser(recorder);
    for (let at = 0; at < stream.length; at += 50) parser.push(stream, at, Math.min(stream.length, at + 50));
    parser.end();

    const storeDir = join(work, 'store');
    expect(recorder.lines).toEqual([
      'directory ',
      'executable file of 6',
      'contents hello\n',
      'end of file',
      'directory ',
      'file empty of 0',
      'end of file',
      'directory lib',
      `symlink lib/link -> ${one}/file`,
    ]);
    expect(recorder.trailers).toMatchObject([
      { storePath: one, references: [] },
      { storePath: two, references: [one], deriver: drv },
    ]);
    expect(recorder.hashes).toEqual(
      run('nix-store', ['-q', '--hash', one, two]).toString().trim().split('\n'),
    );
    for (const { storePath, deriver } of recorder.trailers) {
      expect(parsePathInStore(storeDir, storePath)).not.toBeNull();
      expect(parsePathInStore(storeDir, deriver ?? '')?.name).toMatch(/^(one|two)\.drv$/);
    }
  });

  it('reads the stream that exports nothing', () => {
    expect(run('nix-store', ['--export'])).toEqual(Buffer.alloc(8));
  });
});
