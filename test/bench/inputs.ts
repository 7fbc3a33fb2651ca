import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';

/** The tree that is scanned: what a Debian machine has of programs, libraries and data. */
export const TREE = ['/usr/lib', '/usr/share'] as const;

/** How many regular files lie in these folders, and their bytes, as find counts them. */
export function countedByFind(folders: readonly string[]): { files: number; bytes: number } {
  const listing = execFileSync('find', [...folders, '-type', 'f', '-printf', '%s\n'], {
    encoding: 'latin1',
    maxBuffer: 256 * 1024 * 1024,
  });
  const sizes = listing.split('\n').slice(0, -1);
  return { files: sizes.length, bytes: sizes.reduce((sum, size) => sum + Number(size), 0) };
}

/** The smallest folder of the tree that holds this many bytes. */
function folderOf(bytes: number): string {
  const listing = spawnSync('du', ['--apparent-size', '-b', '-d', '3', ...TREE], { encoding: 'utf8' }).stdout;
  const folders = listing
    .trimEnd()
    .split('\n')
    .map((line) => line.split('\t'))
    .map(([size, path]) => ({ size: Number(size), path: path ?? '' }))
    .filter(({ size }) => size >= bytes)
    .toSorted((one, other) => one.size - other.size);
  const folder = folders[0];
  if (folder === undefined) throw new Error(`no folder of ${TREE.join(', ')} holds ${bytes} bytes`);
  return folder.path;
}

/** Copies the largest shared libraries of the tree, until they are so many bytes. */
function copyLibraries(bytes: number, folder: string): void {
  const listing = execFileSync('find', [...TREE, '-type', 'f', '-name', '*.so*', '-printf', '%s %p\n'], {
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  const libraries = listing
    .trimEnd()
    .split('\n')
    .map((line) => ({ size: parseInt(line, 10), path: line.slice(line.indexOf(' ') + 1) }))
    .toSorted((one, other) => other.size - one.size);
  let total = 0;
  for (const [index, { size, path }] of libraries.entries()) {
    if (total > bytes) break;
    copyFileSync(path, join(folder, `${index}-${basename(path)}`));
    total += size;
  }
}

/** NARs of real folders of this machine, made when first asked for, gone when disposed of. */
export class BenchInputs implements Disposable {
  readonly #folder = mkdtempSync(join(tmpdir(), 'nar-scan-bench-'));
  readonly #made = new Map<string, string>();

  /** One uncompressed NAR of 1 GB or more. */
  largeNar(): string {
    return this.#once('large.nar', (out) => shell(`nix-store --dump "$1" > "$2"`, folderOf(1e9), out));
  }

  /** One of several GB: all of a machine's libraries. */
  hugeNar(): string {
    return this.#once('huge.nar', (out) => shell(`nix-store --dump "$1" > "$2"`, TREE[0], out));
  }

  /** One uncompressed NAR of about 300 MB. */
  nar(): string {
    return this.#once('one.nar', (out) => shell(`nix-store --dump "$1" > "$2"`, folderOf(300e6), out));
  }

  /** One of shared libraries alone, some 600 MB: what most of the bytes of a cache are. */
  librariesNar(): string {
    return this.#once('libraries.nar', (out) => {
      const folder = join(this.#folder, 'libraries');
      mkdirSync(folder);
      copyLibraries(600e6, folder);
      shell(`nix-store --dump "$1" > "$2"`, folder, out);
      rmSync(folder, { recursive: true });
    });
  }

  librariesPacked(program: 'xz' | 'zstd'): string {
    const command = { xz: 'xz -1 -T0 -c', zstd: 'zstd -q -3 -c' }[program];
    return this.#once(`libraries.nar.${program}`, (out) =>
      shell(`${command} "$1" > "$2"`, this.librariesNar(), out),
    );
  }

  /** The same, as `nix copy` compresses by default. */
  xzNar(): string {
    return this.#once('one.nar.xz', (out) => shell(`xz -6 -T1 -c "$1" > "$2"`, this.nar(), out));
  }

  /** Another with the same content. */
  xzNarTwin(): string {
    return this.#once('two.nar.xz', (out) => copyFileSync(this.xzNar(), out));
  }

  zstdNar(): string {
    return this.#once('one.nar.zst', (out) => shell(`zstd -q -3 -c "$1" > "$2"`, this.nar(), out));
  }

  #once(name: string, make: (out: string) => void): string {
    const known = this.#made.get(name);
    if (known !== undefined) return known;
    const out = join(this.#folder, name);
    make(out);
    process.stderr.write(`made ${name}: ${(statSync(out).size / 1e6).toFixed(0)} MB\n`);
    this.#made.set(name, out);
    return out;
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

function shell(command: string, ...words: readonly string[]): void {
  execFileSync('sh', ['-c', command, 'sh', ...words], { stdio: ['ignore', 'ignore', 'inherit'] });
}
