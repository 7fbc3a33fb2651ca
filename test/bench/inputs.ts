import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The tree that is scanned: what a Debian machine has of programs, libraries and data. */
export const TREE = ['/usr/lib', '/usr/share'];

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

/** NARs of real folders of this machine, made when first asked for, gone when disposed of. */
export class BenchInputs implements Disposable {
  readonly #folder = mkdtempSync(join(tmpdir(), 'nar-scan-bench-'));
  readonly #made = new Map<string, string>();

  /** One uncompressed NAR of 1 GB or more. */
  largeNar(): string {
    return this.#once('large.nar', (out) => shell(`nix-store --dump "$1" > "$2"`, folderOf(1e9), out));
  }

  /** One uncompressed NAR of about 300 MB. */
  nar(): string {
    return this.#once('one.nar', (out) => shell(`nix-store --dump "$1" > "$2"`, folderOf(300e6), out));
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
