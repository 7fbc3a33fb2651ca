import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { lutimesSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { base32Encode } from '../../src/nix/base32.ts';
import { TreeNar } from '../../src/sources/treeNar.ts';

const HASH_PART_BYTES = 20;
const CHUNK_BYTES = 1024 * 1024;

/** A store of many small paths, each of which refers to some before it, registered with the real Nix at once. */
export class ManyPaths implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'nar-scan-many-'));
  readonly environment: NodeJS.ProcessEnv;
  readonly #storeDir = join(this.folder, 'store');
  #count = 0;

  constructor() {
    mkdirSync(this.#storeDir);
    this.environment = {
      NIX_STORE_DIR: this.#storeDir,
      NIX_STATE_DIR: join(this.folder, 'var'),
      NIX_LOG_DIR: join(this.folder, 'log'),
      NIX_CONF_DIR: join(this.folder, 'conf'),
      NAR_SCAN_STATE: join(this.folder, 'state'),
      HOME: this.folder,
    };
  }

  /** Adds so many paths; the last of all has all of them in its closure. @returns the last */
  add(count: number): string {
    let registered = '';
    for (const end = this.#count + count; this.#count < end; this.#count++)
      registered += this.#make(this.#count);
    execFileSync('nix-store', ['--load-db'], {
      input: registered,
      env: { ...process.env, ...this.environment },
    });
    return this.#path(this.#count - 1);
  }

  /** @returns the path as `nix-store --load-db` takes it */
  #make(number: number): string {
    const path = this.#path(number);
    const before = [number - 1, number - 2, number >> 1, Math.floor(number / 3), number];
    const references = [...new Set(before.filter((other) => other >= 0))].map((other) => this.#path(other));
    mkdirSync(join(path, 'lib'), { recursive: true });
    writeFileSync(join(path, 'lib/refers'), references.join('\n'));
    writeFileSync(join(path, 'lib/data'), `${number} `.repeat(3000));
    for (const made of ['lib/refers', 'lib/data', 'lib', '']) lutimesSync(join(path, made), 1, 1);
    const { hash, size } = registration(path);
    return [path, hash, size, '', references.length, ...references, ''].join('\n');
  }

  #path(number: number): string {
    const digest = createHash('sha256').update(String(number)).digest();
    return join(this.#storeDir, `${base32Encode(digest.subarray(0, HASH_PART_BYTES))}-p${number}`);
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function registration(path: string): { readonly hash: string; readonly size: number } {
  using source = new TreeNar(path);
  const hash = createHash('sha256');
  const buffer = Buffer.alloc(CHUNK_BYTES);
  let size = 0;
  for (let count = 1; count > 0; size += count) {
    count = source.read(buffer, 0, buffer.length);
    hash.update(buffer.subarray(0, count));
  }
  return { hash: hash.digest('hex'), size };
}
