import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  createReadStream,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { zstdCompressSync } from 'node:zlib';
import { base32Encode } from '../../src/nix/base32.ts';
import { CacheServer } from '../support/cacheServer.ts';
import { type LoadFigures, underLoad } from './load.ts';
import { noise } from './narBytes.ts';
import { type Command, median, runOnce } from './timing.ts';

const STORE_DIR = '/nix/store';
export const SERVE_PAIRS = 5;

/** Medians of one upload and of its peer, in seconds. */
export interface UploadFigures {
  readonly peer: number;
  readonly subject: number;
  readonly bytes: number;
  readonly peakBytes: number;
}

/**
 * One upload of a NAR to a fresh server, until it is admitted, beside a program that only unpacks it.
 * @param ending of the object's name
 */
export async function benchUpload(file: string, ending: string, peer: Command): Promise<UploadFigures> {
  const name = await objectName(file, ending);
  return await alternating(file, async () => (await runOnce(peer)).seconds, name);
}

/** The same beside nginx, which takes the file by WebDAV and looks at nothing. */
export async function benchBesideNginx(file: string): Promise<UploadFigures> {
  await using nginx = await Nginx.start();
  const name = await objectName(file, '');
  let count = 0;
  return await alternating(file, () => upload(file, `${nginx.url}/${count++}`, '201'), name);
}

async function alternating(file: string, peer: () => Promise<number>, name: string): Promise<UploadFigures> {
  const seconds = { peer: [] as number[], subject: [] as number[] };
  let peakBytes = 0;
  using settings = new Folder();
  const policy = join(settings.path, 'policy.toml');
  // real software names homes of its authors, which nobody has settled here
  writeFileSync(policy, '[admission]\nforeign_home = "warn"\n', { mode: 0o600 });
  const lenient = ['--policy', policy];
  const subject = async (): Promise<number> => {
    await using server = await CacheServer.start({ storeDir: STORE_DIR, args: lenient });
    // threads and their code are there, as they are in a server that runs
    await warm(server.url);
    const taken = await upload(file, `${server.url}/${name}`, '200');
    peakBytes = Math.max(peakBytes, highWater(server.child.pid));
    return taken;
  };
  for (let pair = 0; pair <= SERVE_PAIRS; pair++) {
    const [first, second] = pair % 2 === 0 ? [peer, subject] : [subject, peer];
    const [one, other] = [await first(), await second()];
    // the first pair warms caches
    if (pair === 0) continue;
    seconds.peer.push(pair % 2 === 0 ? one : other);
    seconds.subject.push(pair % 2 === 0 ? other : one);
  }
  const { size } = statSync(file);
  return { peer: median(seconds.peer), subject: median(seconds.subject), bytes: size, peakBytes };
}

/** 64 large NARs at once, 2,000 small ones, slow readers and writers beside them. */
export async function benchLoad(): Promise<LoadFigures> {
  await using server = await CacheServer.start({ storeDir: STORE_DIR });
  const { pid } = server.child;
  if (pid === undefined) throw new Error('the server has no process');
  return await underLoad(Number(new URL(server.url).port), pid, {
    large: { count: 64, bytes: 200e6 },
    small: { count: 2000, bytes: 10_000, atOnce: 8 },
    slowReaders: 200,
    slowWriters: 50,
  });
}

async function warm(url: string): Promise<void> {
  using folder = new Folder();
  const data = join(folder.path, 'data');
  writeFileSync(data, noise(16 * 1024 * 1024));
  const nar = join(folder.path, 'warm.nar');
  execFileSync('sh', ['-c', 'nix-store --dump "$1" > "$2"', 'sh', data, nar]);
  await upload(nar, `${url}/${await objectName(nar, '')}`, '200');
  const packed = `${nar}.zst`;
  writeFileSync(packed, zstdCompressSync(readFileSync(nar)));
  await upload(packed, `${url}/${await objectName(packed, '.zst')}`, '200');
}

/** A folder of its own, gone when disposed of. */
class Folder implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), 'nar-scan-bench-'));

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

/** @returns seconds until it was answered */
async function upload(file: string, url: string, status: string): Promise<number> {
  const began = process.hrtime.bigint();
  const curl = spawn('curl', ['-sS', '-T', file, '-o', '/dev/null', '-w', '%{http_code}', url]);
  let said = '';
  curl.stdout.on('data', (piece: Buffer) => (said += piece.toString()));
  await new Promise((resolve) => curl.once('close', resolve));
  if (said !== status) throw new Error(`the upload was answered ${said}`);
  return Number(process.hrtime.bigint() - began) / 1e9;
}

async function objectName(file: string, ending: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return `nar/${base32Encode(hash.digest())}.nar${ending}`;
}

function highWater(pid: number | undefined): number {
  const status = execFileSync('cat', [`/proc/${pid}/status`], { encoding: 'latin1' });
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? Number.NaN) * 1024;
}

/** nginx with a directory that takes PUT, as it comes. */
class Nginx implements AsyncDisposable {
  readonly url: string;
  readonly #folder: string;
  readonly #child: ReturnType<typeof spawn>;

  private constructor(url: string, folder: string, child: ReturnType<typeof spawn>) {
    this.url = url;
    this.#folder = folder;
    this.#child = child;
  }

  static async start(): Promise<Nginx> {
    const folder = mkdtempSync(join(tmpdir(), 'nar-scan-nginx-'));
    for (const name of ['files', 'bodies']) mkdirSync(join(folder, name), { mode: 0o777 });
    const port = await freePort();
    const configuration = `
      daemon off; pid ${folder}/pid; error_log ${folder}/error.log; user root;
      events {}
      http {
        access_log off; client_max_body_size 0; client_body_temp_path ${folder}/bodies;
        server { listen 127.0.0.1:${port}; root ${folder}/files; location / { dav_methods PUT; } }
      }`;
    writeFileSync(join(folder, 'nginx.conf'), configuration);
    const child = spawn('nginx', ['-c', join(folder, 'nginx.conf'), '-p', folder], { stdio: 'ignore' });
    const url = `http://127.0.0.1:${port}`;
    for (let looks = 0; looks < 100; looks++) {
      if (
        await fetch(url).then(
          () => true,
          () => false,
        )
      )
        break;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    return new Nginx(url, folder, child);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.kill();
    await ended;
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}
