import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { zstdDecompressSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openCatalog } from '../../src/admission/catalog/sqliteCatalog.ts';
import type { PublishedPath } from '../../src/admission/contracts.ts';
import { parseNarInfo } from '../../src/nix/narinfo.ts';
import { CacheClient } from '../support/cacheClient.ts';
import { CacheServer, nixClient } from '../support/cacheServer.ts';
import {
  type Attempt,
  KilledUploader,
  newStorePath,
  noisyNar,
  STAGES,
  type UploadStage,
} from '../support/killedUploads.ts';
import { narScan } from '../support/narScan.ts';
import { sha256 } from '../support/narUploads.ts';
import { exported, uint64 } from '../support/narWriter.ts';
import { needs } from '../support/programs.ts';
import { SymlinkedStore } from '../support/realNix.ts';

const ROUNDS = Number(process.env['NAR_SCAN_KILL_ROUNDS'] ?? 4);
const RAW_CLIENTS = 3;
/** How the clients of Nix pack; each has a closure of its own in every round. */
const NIX_COMPRESSIONS = ['none', 'zstd'];
/** Of so many paths, each of which refers to the one before it. */
const CLOSURE = 3;
const LONGEST_MILLISECONDS = 2500;
const ROUND_MILLISECONDS = 30_000;

describe.skipIf(!needs('nix', 'nix-store'))('nar-scan serve that is killed', () => {
  const folder = mkdtempSync(join(tmpdir(), 'nar-scan-killed-'));
  let store: SymlinkedStore;
  let server: CacheServer;
  let client: CacheClient;
  /** The closures that clients of Nix copy, the path that refers to all others last. */
  const closures: string[][] = [];

  beforeAll(() => {
    store = new SymlinkedStore();
    for (let round = 0; round < ROUNDS; round++) {
      for (const _ of NIX_COMPRESSIONS) closures.push(importedClosure(store));
    }
  });
  afterEach(async () => await server[Symbol.asyncDispose]());
  afterAll(() => {
    store[Symbol.dispose]();
    rmSync(folder, { recursive: true, force: true });
  });

  const start = async (): Promise<void> => {
    server = await CacheServer.start({ storeDir: store.storeDir, folder, args: ['--home', store.home] });
    client = new CacheClient(server.url);
  };
  const hashPart = (path: string): string => path.slice(store.storeDir.length + 1).slice(0, 32);

  /** Clients upload until the server is killed, which is when one of them reaches a stage, or at any moment. */
  const killed = async (at: UploadStage | null) => {
    const reached = Promise.withResolvers<void>();
    let left = randomInt(1, 30);
    const raw = Array.from(
      { length: RAW_CLIENTS },
      () =>
        new KilledUploader(server.url, store.storeDir, store.home, (stage) => {
          if (stage === at && --left === 0) reached.resolve();
        }),
    );
    const running = raw.map(async (uploader) => await uploader.run());
    const nix = NIX_COMPRESSIONS.map((compression) => {
      const closure = closures.pop() ?? [];
      const child = nixCopy(store, `${server.url}?compression=${compression}`, closure.at(-1) ?? '');
      return { closure, compression, child };
    });
    if (at === null) await pause(randomInt(LONGEST_MILLISECONDS));
    else {
      await Promise.race([reached.promise, pause(LONGEST_MILLISECONDS)]);
      await pause(randomInt(10));
    }
    const stages = raw.map(({ stage }) => stage);
    await server.stop('SIGKILL');
    const copies = await Promise.all(
      nix.map(async ({ child, ...copy }) => ({ ...copy, status: await ended(child) })),
    );
    await Promise.all(running);
    return {
      stages,
      copies,
      attempts: raw.flatMap(({ attempts }) => attempts),
      wrong: raw.flatMap(({ wrong }) => wrong),
    };
  };

  const catalogued = async () => {
    const catalog = await openCatalog(join(server.state, 'catalog.sqlite'));
    try {
      const published = await catalog.publishedPaths(1_000_000);
      return {
        published: new Map(published.map((path) => [path.hashPart, path])),
        received: [...(await catalog.receivedFiles())].toSorted(),
      };
    } finally {
      await catalog.close();
    }
  };

  /** What is served of a path is all there, and what its hashes say. @returns its narinfo; null where it is not served */
  const servedWhole = async (part: string) => {
    const answer = await client.get(`${part}.narinfo`);
    if (answer.status === 404) return null;
    expect(answer.status).toBe(200);
    const info = parseNarInfo(answer.body, store.storeDir);
    const packed = await client.get(info.url);
    expect([part, packed.status, packed.body.length]).toEqual([part, 200, info.fileSize]);
    expect(sha256(packed.body)).toBe(info.fileHash);
    const nar = info.compression === 'zstd' ? zstdDecompressSync(packed.body) : packed.body;
    expect([sha256(nar), nar.length]).toEqual([info.narHash, info.narSize]);
    expect((await client.get(`${part}.ls`)).status).toBe(200);
    return info;
  };

  /** What lies in the storage and was never published is not served. @returns how many objects that are */
  const leftovers = async (published: ReadonlyMap<string, PublishedPath>): Promise<number> => {
    const known = new Set(['nar', '.unfinished']);
    for (const path of published.values())
      for (const name of [`${path.hashPart}.narinfo`, `${path.hashPart}.ls`, path.narName]) known.add(name);
    const inside = join(server.storage, 'nar');
    const nars = existsSync(inside) ? readdirSync(inside).map((name) => `nar/${name}`) : [];
    const others = [...readdirSync(server.storage), ...nars].filter((name) => !known.has(name));
    for (const name of others) {
      for (const method of ['GET', 'HEAD']) {
        expect([name, (await client.ask(method, name)).status]).toEqual([name, 404]);
      }
    }
    return others.length;
  };

  /** What was broken off is sent again, as far as it was not acknowledged, and is served then. */
  const uploadAgain = async (attempts: readonly Attempt[]): Promise<void> => {
    for (const { output, isLeaky, isNarAcknowledged } of attempts) {
      const answer = await (isNarAcknowledged ? client.putNarInfo(output) : client.upload(output));
      expect([answer.reason, answer.status]).toEqual([answer.reason, isLeaky ? 403 : 200]);
      expect((await servedWhole(output.hashPart))?.narHash).toBe(isLeaky ? undefined : output.info.narHash);
    }
  };

  it(
    `serves all that it acknowledged and nothing else (${ROUNDS} rounds)`,
    async ({ annotate }) => {
      const served = new Map<string, string>();
      const tried = new Set<string>();
      const tally = new Map<string, number>();
      const count = (what: string, more = 1): void => void tally.set(what, (tally.get(what) ?? 0) + more);
      await start();
      for (let round = 0; round < ROUNDS; round++) {
        const { stages, copies, attempts, wrong } = await killed([...STAGES, null][round % 6] ?? null);
        expect(wrong).toEqual([]);
        for (const stage of stages) count(`killed: ${stage}`);
        await start();
        expect(readdirSync(join(server.state, 'spool'))).toEqual([]);
        const { published, received } = await catalogued();
        const files = readdirSync(join(server.state, 'received'));
        expect(files.map((name) => join(server.state, 'received', name)).toSorted()).toEqual(received);
        count('objects of nobody in the storage', await leftovers(published));

        const broken: Attempt[] = [];
        for (const attempt of attempts) {
          const { output, isLeaky, isAcknowledged } = attempt;
          tried.add(output.hashPart);
          const info = await servedWhole(output.hashPart);
          expect(info !== null).toBe(published.has(output.hashPart));
          if (isAcknowledged || info !== null) {
            expect([isLeaky, info?.narHash, info?.storePath]).toEqual([
              false,
              output.info.narHash,
              output.storePath,
            ]);
            served.set(output.hashPart, output.info.narHash);
          } else {
            if (!isLeaky) expect((await client.get(output.narName)).status).toBe(404);
            broken.push(attempt);
          }
          if (isAcknowledged) count('acknowledged');
          else if (info !== null) count('published, and nobody was told');
          else if (!isLeaky) count(attempt.isNarAcknowledged ? 'broken off behind the NAR' : 'broken off');
        }
        await uploadAgain(broken);
        for (const { output } of broken.filter(({ isLeaky }) => !isLeaky))
          served.set(output.hashPart, output.info.narHash);

        for (const { closure, compression, status } of copies) {
          count(`copies of Nix ${status === 0 ? 'that ended' : 'that were broken off'}`);
          for (const path of closure) {
            tried.add(hashPart(path));
            expect((await servedWhole(hashPart(path))) !== null).toBe(published.has(hashPart(path)));
            if (status === 0) expect(published.get(hashPart(path))?.storePath).toBe(path);
          }
          const to = `${server.url}?compression=${compression}`;
          const again = await nixClient(store.environment, 'copy', '--to', to, closure.at(-1) ?? '');
          expect(again).toMatchObject({ status: 0 });
          for (const path of closure) {
            expect((await servedWhole(hashPart(path)))?.narHash).toBe(store.narHash(path));
            served.set(hashPart(path), store.narHash(path));
          }
        }
        expect(server.log()).not.toContain('"level":50');
      }
      const { published } = await catalogued();
      expect([...published.keys()].filter((part) => !tried.has(part))).toEqual([]);
      for (const [part, narHash] of served) expect((await servedWhole(part))?.narHash).toBe(narHash);
      const env = { ...store.environment, NAR_SCAN_STATE: server.state };
      expect(narScan(['audit', 'verify'], { env })).toMatchObject({ status: 0 });
      await annotate(JSON.stringify(Object.fromEntries(tally)));
    },
    60_000 + ROUNDS * ROUND_MILLISECONDS,
  );
});

/** Paths of noise in the store, as Nix takes them from an export. */
function importedClosure(store: SymlinkedStore): string[] {
  const paths: string[] = [];
  const pieces: Buffer[] = [];
  for (let index = 0; index < CLOSURE; index++) {
    const references = paths.slice(-1);
    const path = newStorePath(store.storeDir, `p${index}`);
    pieces.push(exported(noisyNar(references.join('')), path, references));
    paths.push(path);
  }
  const input = Buffer.concat([...pieces, uint64(0)]);
  execFileSync('nix-store', ['--import'], {
    env: store.environment,
    input,
    stdio: ['pipe', 'ignore', 'pipe'],
  });
  return paths;
}

/** Runs `nix copy` in a process group of its own. */
function nixCopy(store: SymlinkedStore, to: string, path: string): ChildProcess {
  const env = { ...store.environment, XDG_CACHE_HOME: mkdtempSync(join(store.folder, 'cache-')) };
  return spawn('nix', ['copy', '--to', to, path], { env, stdio: 'ignore', detached: true });
}

/** Ends what would go on trying. @returns the status of what had ended by itself; else null */
async function ended(child: ChildProcess): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null && child.pid !== undefined) {
    const exited = once(child, 'exit');
    process.kill(-child.pid, 'SIGKILL');
    await exited;
  }
  return child.exitCode;
}
