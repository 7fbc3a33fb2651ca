import { realpathSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { compileEngine } from '../kernel/create.ts';
import { tryLock } from '../ledger/lock.ts';
import { NarScanError } from '../model/errors.ts';
import { LIMITS } from '../model/limits.ts';
import { parsePublicKey } from '../nix/signature.ts';
import { KeptSizes } from '../quarantine/store/keptSizes.ts';
import { bytesIn, quarantineDir } from '../quarantine/store/place.ts';
import { openCallers } from './access/open.ts';
import type { Catalog } from './catalog.ts';
import { openCatalog } from './catalog/sqliteCatalog.ts';
import { DiskRoom } from './diskRoom.ts';
import { serveCache } from './http/cacheRoutes.ts';
import { Door } from './http/door.ts';
import { type Need, tellHealth } from './http/health.ts';
import { listen } from './http/listen.ts';
import type { ListenAddress } from './http/listenAddress.ts';
import { serveApi } from './http/api/routes.ts';
import { Metrics, serveMetrics } from './http/metrics.ts';
import { bareServer } from './http/server.ts';
import { stopServer } from './http/stop.ts';
import { UnderWay } from './http/underWay.ts';
import { takeUploads } from './http/uploadRoutes.ts';
import { ThreadedInspector } from './inspection/threadedInspector.ts';
import { SpoolDirectory } from './intake/spool.ts';
import { PolicyJudge } from './judgement/policyJudge.ts';
import { expireReceived, NarReceiver } from './narUpload.ts';
import { measured } from './measured.ts';
import { CachePublications } from './publication/publications.ts';
import { readSigningKey } from './publication/signingKey.ts';
import { openVerdictKey } from './publication/verdictKey.ts';
import { ReviewDesk } from './review/desk.ts';
import { reviewPages } from './review/routes.ts';
import { servedOf } from './served.ts';
import type { ServerSettings } from './settings.ts';
import type { Storage } from './storage.ts';
import { openStorage } from './storage/open.ts';
import { openServerTrail } from './trail.ts';

/** How a cache server is run. */
export interface CacheServerOptions {
  readonly settings: ServerSettings;
  readonly listen: ListenAddress;
  /** URL of where published objects lie. */
  readonly storage: string;
  readonly tokens: string | null;
  readonly noAuth: boolean;
  /** File of the key that signs paths; null: nothing is signed. */
  readonly signKey: string | null;
  readonly environment: NodeJS.ProcessEnv;
  readonly log: Logger;
}

/** A cache server that listens. */
export interface CacheServer {
  /** As people may type it. */
  readonly address: string;
  /** Lets requests under way end, and then everything. */
  stop(): Promise<void>;
}

/* What lies in the state directory beside the quarantine and the audit trail. */
const LOCK = 'serve.lock';
const CATALOG = 'catalog.sqlite';
const SPOOL = 'spool';
const RECEIVED = 'received';

/**
 * Starts a cache server: opens all it works with, takes away what a server before it has left half done, and listens.
 *
 * @throws NarScanError of the parts, and SERVER_RUNS where another server runs on the same state
 */
export async function openCacheServer(options: CacheServerOptions): Promise<CacheServer> {
  const { settings, log, environment } = options;
  const { state, policy } = settings;
  await using parts = new AsyncDisposableStack();
  // a signature vouches for who sent it, and here nobody knows who that is
  const signing = options.signKey === null || options.noAuth ? null : readSigningKey(options.signKey);
  const trusted = policy.admission.trustedKeys.map(parsePublicKey);
  parts.use(lockOn(state));
  const catalog = await openCatalog(join(state, CATALOG));
  parts.defer(async () => await catalog.close());
  const warn = (error: unknown): void => log.warn({ err: error });
  const { anonymousRead } = policy.admission;
  const callers = openCallers({
    tokens: options.tokens,
    noAuth: options.noAuth,
    anonymousRead,
    host: 'host' in options.listen ? options.listen.host : null,
    catalog,
    warn,
    failed: (address) => log.warn({ address }, 'a wrong token'),
  });
  const storage = await openStorage(options.storage, environment);
  const spool = SpoolDirectory.open(join(state, SPOOL));
  // the catalog has whole paths: the state may be named over a link today and without it tomorrow
  const received = SpoolDirectory.open(join(realpathSync(state), RECEIVED));
  await spool.sweep(new Set());
  await received.sweep(await catalog.receivedFiles());
  const inspector = new ThreadedInspector(settings);
  parts.defer(async () => await inspector.close());
  parts.use(every(LIMITS.hostAskedMilliseconds, async () => await inspector.askAgain(), warn));
  const faults = {
    warn: (line: string): void => log.warn(line),
    error: (error: unknown): void => log.error({ err: error }),
  };
  const trail = parts.use(await openServerTrail(settings, environment, warn));
  const served = servedOf(catalog, trail.decisions, settings);
  const tool = { name: 'nar-scan', version: settings.version, kernel: compileEngine().engine };
  const kept = new KeptSizes(quarantineDir(state));
  const judge = await PolicyJudge.open({ settings, catalog, inspector, ...trail, kept, tool, log: faults });
  const verdictKey = openVerdictKey(state, signing);
  const metrics = new Metrics({
    inspector,
    quarantineBytes: async () => await kept.used(),
    receivedBytes: () => bytesIn(received.path),
  });
  const room = new DiskRoom(spool.path);
  const plain = { catalog: served, inspector, judge, spool, storage };
  const work = { ...measured(plain, metrics), settings, room, log: faults };
  const uploads = new NarReceiver({ ...work, received });
  const publications = new CachePublications({ ...work, keys: { trusted, signing } });
  parts.use(
    every(LIMITS.receivedSweepMilliseconds, async () => await expireReceived(work, Date.now()), faults.error),
  );

  const door = new Door(callers);
  const underWay = new UnderWay();
  const app = bareServer(log, door, (exchange) => metrics.answered(exchange));
  parts.defer(async () => await app.close());
  tellHealth(app, needsOf(state, catalog, storage), (name, error) =>
    log.error({ err: error }, `not ready: ${name}`),
  );
  const lost = (name: string): void => log.error(`the storage has lost ${name}`);
  await app.register(async (cache: FastifyInstance) => {
    serveCache(cache, { storeDir: settings.storeDir, catalog: served, storage, door, anonymousRead, lost });
    takeUploads(cache, { uploads, publications, door, underWay });
  });
  serveMetrics(app, metrics, door);
  const most = policy.admission.maxNar;
  serveApi(app, { ...work, storeDir: settings.storeDir, door, verdictKey, signingKey: signing, tool, most });
  await app.register(async (pages: FastifyInstance) => {
    reviewPages(pages, {
      desk: new ReviewDesk({ settings, catalog, ...trail }),
      admit: async (request, reply, scope) => await door.admit(request, reply, scope, true),
      publicUrl: settings.publicUrl,
      failed: faults.error,
    });
  });
  await app.ready();
  const address = await listen(app.server, options.listen);
  tellStart(options, storage, address);
  const stop = parts.move();
  return {
    address,
    stop: async () => {
      await stopServer(app.server, async () => await inspector.close());
      // of clients that are gone, too
      await underWay.ended(LIMITS.serverLastMilliseconds);
      await inspector.close();
      await underWay.ended(LIMITS.serverLastMilliseconds);
      await stop.disposeAsync();
    },
  };
}

/** What somebody who reads the log wants to know of how the server is run. */
function tellStart(
  { settings, tokens, signKey, log }: CacheServerOptions,
  storage: Storage,
  at: string,
): void {
  const { version, state, storeDir, publicUrl, hostHomes, dryRun, policy } = settings;
  const { homes } = policy.facts;
  const { onFailure, foreignHome } = policy.admission;
  const places = { publicUrl, storage: storage.shown, state, storeDir, tokens, signKey };
  log.info({ version, ...places, homes, hostHomes, foreignHome, onFailure, dryRun }, `listens on ${at}`);
  if (dryRun) log.warn('a dry run: nothing is refused');
}

/** Does something again and again; a fault is told, and does not end it. */
function every(
  milliseconds: number,
  act: () => Promise<unknown>,
  failed: (error: unknown) => void,
): Disposable {
  const timer = setInterval(() => void act().catch(failed), milliseconds);
  timer.unref();
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

/** One server at a time: two would sweep each other's spool. */
function lockOn(state: string): Disposable {
  const lock = tryLock(join(state, LOCK), 'alone');
  if (lock === null) throw new NarScanError('SERVER_RUNS', `another server runs on '${state}'`);
  return lock;
}

/** What the server cannot work without. */
function needsOf(state: string, catalog: Catalog, storage: Storage): readonly Need[] {
  return [
    { name: 'storage', check: async () => await storage.check() },
    { name: 'catalog', check: async () => void (await catalog.publishedPaths(1)) },
    {
      name: 'disk',
      check: async () => {
        const { bavail, bsize } = await statfs(state);
        if (bavail * bsize < LIMITS.serverLeastRoom) {
          throw new NarScanError('UPLOAD_NO_ROOM', `${bavail * bsize} bytes are free in '${state}'`);
        }
      },
    },
  ];
}
