import { createHash } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Catalog } from '../catalog.ts';
import type { PublishedPath } from '../contracts.ts';
import { INFO_TYPE, JSON_TYPE, NAR_TYPE, NARINFO_TYPE } from '../mediaTypes.ts';
import type { Storage } from '../storage.ts';
import { type CacheObject, cacheObjectOf, plainPathOf } from './cachePath.ts';
import type { Door } from './door.ts';
import { hasTag, rangeOf } from './range.ts';
import { NOT_FOUND, sendAnswer } from './replies.ts';

/** What the routes of a binary cache serve from. */
export interface CacheSources {
  readonly storeDir: string;
  readonly catalog: Catalog;
  readonly storage: Storage;
  readonly door: Door;
  /** Whether it takes no token to fetch. */
  readonly anonymousRead: boolean;
  /** Told where the storage has lost what is published. */
  readonly lost: (name: string) => void;
}

/** The paths of a binary cache, as the router knows them. What each may hold is checked by {@link cacheObjectOf}. */
export const CACHE_PATHS = [
  '/nix-cache-info',
  '/:hashPart.narinfo',
  '/:hashPart.ls',
  '/nar/:file',
  '/log/*',
  '/debuginfo/*',
  '/realisations/*',
  '/build-trace-v2/*',
] as const;

/** Where this cache stands among those that a client has: cache.nixos.org says 40, and less is asked first. */
const PRIORITY = 40;

/**
 * How long caches between here and clients may serve what they have before they ask again: what is said about a path
 * may gain a signature, and all of it, NARs too, may be denied. Clients of Nix take no notice.
 */
const CACHING = 'max-age=60';

/** The same where fetching takes a token: a cache that many share asks nobody for one. */
const PRIVATE_CACHING = `private, ${CACHING}`;

/** What is published can be fetched here, and nothing else is known of. */
export function serveCache(app: FastifyInstance, sources: CacheSources): void {
  const serve = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const path = plainPathOf(request.raw.url ?? '');
    const object = path === null ? null : cacheObjectOf(path);
    if ((await sources.door.admit(request, reply, 'read')) === null) return reply;
    reply.header('cache-control', sources.anonymousRead ? CACHING : PRIVATE_CACHING);
    const isThere = object !== null && (await SENDERS[object.kind](object as never, sources, request, reply));
    if (!isThere) await sendAnswer(reply, NOT_FOUND);
    return reply;
  };
  for (const url of CACHE_PATHS) {
    app.get(url, { exposeHeadRoute: false }, serve);
    app.head(url, serve);
  }
}

/** Each sends its kind of object. Resolves to whether it was there. */
const SENDERS: {
  readonly [K in CacheObject['kind']]: (
    object: CacheObject & { readonly kind: K },
    sources: CacheSources,
    request: FastifyRequest,
    reply: FastifyReply,
  ) => Promise<boolean>;
} = { info: sendInfo, narinfo: sendNarInfo, listing: sendListing, nar: sendNar, object: sendObject };

async function sendInfo(
  _: CacheObject,
  { storeDir }: CacheSources,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<true> {
  const text = `StoreDir: ${storeDir}\nWantMassQuery: 1\nPriority: ${PRIORITY}\n`;
  return await sendBytes(request, reply, Buffer.from(text), INFO_TYPE);
}

async function sendNarInfo(
  { hashPart }: { readonly hashPart: string },
  { catalog }: CacheSources,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<boolean> {
  const path = await catalog.published(hashPart);
  return path !== null && (await sendBytes(request, reply, Buffer.from(path.narInfo), NARINFO_TYPE));
}

async function sendListing(
  { name, hashPart }: { readonly name: string; readonly hashPart: string },
  { catalog, storage }: CacheSources,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<boolean> {
  const path = await catalog.published(hashPart);
  // nobody knows what is in what was not inspected: a listing that lies there is of another content
  if (path === null || path.isUninspected) return false;
  if (request.method === 'HEAD') {
    const size = (await storage.size(name)) ?? 0;
    if (size > 0) await describe(reply, size, JSON_TYPE).send();
    return size > 0;
  }
  const listing = await storage.get(name);
  if (listing === null) return false;
  if (listing.size === 0) {
    listing.stream.destroy();
    return false;
  }
  await describe(reply, listing.size, JSON_TYPE).send(listing.stream);
  return true;
}

async function sendObject(
  { name }: { readonly name: string },
  { catalog }: CacheSources,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<boolean> {
  const object = await catalog.object(name);
  return object !== null && (await sendBytes(request, reply, object.bytes, object.type));
}

async function sendNar(
  { name }: { readonly name: string },
  sources: CacheSources,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<boolean> {
  const path = await sources.catalog.publishedNar(name);
  if (path === null) return false;
  // where it is lost a client is to send it again, so HEAD looks for it, too
  const isThere =
    request.method === 'HEAD'
      ? await headNar(path, sources, request, reply)
      : await getNar(path, sources, request, reply);
  if (!isThere) sources.lost(name);
  return isThere;
}

async function headNar(
  path: PublishedPath,
  { storage }: CacheSources,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<boolean> {
  if ((await storage.size(path.narName)) !== path.fileSize) return false;
  if (isKnown(request, reply, narTag(path))) await reply.code(304).send();
  else await describeNar(reply, path.fileSize).send();
  return true;
}

async function getNar(
  path: PublishedPath,
  { storage }: CacheSources,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<boolean> {
  const { narName, fileSize } = path;
  const tag = narTag(path);
  if (isKnown(request, reply, tag)) {
    await reply.code(304).send();
    return true;
  }
  const { range: wanted, 'if-range': condition } = request.headers;
  const range = condition === undefined || condition === tag ? rangeOf(wanted, fileSize) : null;
  if (range === 'unsatisfiable') {
    reply.header('content-range', `bytes */${fileSize}`).header('cache-control', 'no-store');
    await reply.code(416).send();
    return true;
  }
  const nar = await storage.get(narName, range ?? undefined);
  if (nar?.size !== fileSize) {
    nar?.stream.destroy();
    return false;
  }
  if (range === null) {
    await describeNar(reply, fileSize).send(nar.stream);
    return true;
  }
  const { start, end } = range;
  reply.code(206).header('content-range', `bytes ${start}-${end - 1}/${fileSize}`);
  await describeNar(reply, end - start).send(nar.stream);
  return true;
}

async function sendBytes(
  request: FastifyRequest,
  reply: FastifyReply,
  bytes: Buffer,
  type: string,
): Promise<true> {
  const tag = `"${createHash('sha256').update(bytes).digest('base64url')}"`;
  if (isKnown(request, reply, tag)) await reply.code(304).send();
  else {
    describe(reply, bytes.length, type);
    await (request.method === 'HEAD' ? reply.send() : reply.send(bytes));
  }
  return true;
}

function describe(reply: FastifyReply, size: number, type: string): FastifyReply {
  return reply.type(type).header('content-length', size);
}

/** Caches give out parts of what they have only where they were told that there are any. */
function describeNar(reply: FastifyReply, size: number): FastifyReply {
  return describe(reply, size, NAR_TYPE).header('accept-ranges', 'bytes');
}

/** Whether the client has it in the form that has this tag. */
function isKnown(request: FastifyRequest, reply: FastifyReply, tag: string): boolean {
  reply.header('etag', tag);
  return hasTag(request.headers['if-none-match'], tag);
}

function narTag({ fileHash }: PublishedPath): string {
  return `"${fileHash.slice(fileHash.indexOf(':') + 1)}"`;
}
