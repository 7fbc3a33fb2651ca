import fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyRequest,
  LogController,
} from 'fastify';
import { NarScanError } from '../../model/errors.ts';
import { LIMITS } from '../../model/limits.ts';
import { answerLine, answerOf } from '../answers.ts';
import { cacheObjectOf, plainPathOf, withoutMoreSlashes } from './cachePath.ts';
import type { Door } from './door.ts';
import { httpServer } from './nodeServer.ts';
import { FRONT, NOT_FOUND, sendAnswer } from './replies.ts';

/** No router looks at what is none; nothing is routed there. */
const NO_PATH = '/.';

const LOOKING = new Set(['GET', 'HEAD']);

/** What became of a request, for whoever counts. */
export interface Exchange {
  readonly method: string;
  /** Of the route as the router knows it; null for none. */
  readonly route: string | null;
  readonly status: number;
  readonly milliseconds: number;
}

/**
 * The server without its routes: what is true of every request. Paths that can be read in two ways reach no
 * route, errors are one line, and every request is logged, without what its headers and its query hold.
 */
export function bareServer(
  log: FastifyBaseLogger,
  door: Door,
  answered: (exchange: Exchange) => void,
): FastifyInstance {
  const app = fastify({
    serverFactory: (handle) => httpServer(handle),
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true }),
    trustProxy: false,
    bodyLimit: LIMITS.serverParsedBytes,
    routerOptions: { maxParamLength: 4096 },
    requestIdHeader: false,
    // what has come is answered while the server stops
    return503OnClosing: false,
    rewriteUrl: ({ url = '' }) => (plainPathOf(url) === null ? NO_PATH : url),
    exposeHeadRoutes: true,
  });
  const methods = methodsByPath(app);

  /** @param status null: the client was gone before it was answered */
  const note = (request: FastifyRequest, milliseconds: number, status: number | null, more: object): void => {
    const { method, headers } = request;
    const who = { request: request.id, by: door.nameOf(request), method, path: shownPath(request) };
    const received = lengthOf(headers);
    log.info({ ...who, status, received, milliseconds: Math.round(milliseconds), ...more });
  };
  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-content-type-options', 'nosniff');
    reply.raw.once('close', () => {
      if (!reply.raw.writableFinished) note(request, reply.elapsedTime, null, {});
    });
  });
  app.addHook('onResponse', async (request, reply) => {
    const { statusCode: status, elapsedTime: milliseconds } = reply;
    const route = request.is404 ? null : (request.routeOptions.url ?? null);
    answered({ method: request.method, route, status, milliseconds });
    const line = status < 400 ? undefined : reply.raw.statusMessage;
    note(request, milliseconds, status, { sent: lengthOf(reply.getHeaders()), line });
  });
  app.setErrorHandler(async (error, request, reply) => {
    const answer = answerToError(error);
    if (answer.status >= 500) log.error({ request: request.id, err: error }, 'a request failed');
    await sendAnswer(reply, answer);
    return reply;
  });
  app.setNotFoundHandler(async (request, reply) => {
    const meant = withoutMoreSlashes(request.originalUrl);
    // says nothing of what there is
    if (meant !== null && LOOKING.has(request.method)) return await reply.redirect(meant, 302);
    const path = plainPathOf(request.raw.url ?? '');
    const allowed = path === null ? null : methodsOf(path, methods);
    // who may not read is told nothing of what there is
    if ((await door.admit(request, reply, 'read')) === null) return reply;
    if (allowed === null) await sendAnswer(reply, path === '/' ? FRONT : NOT_FOUND);
    else {
      reply.header('allow', allowed);
      await sendAnswer(reply, { status: 405, line: `nar-scan: only ${allowed} is answered here` });
    }
    return reply;
  });
  return app;
}

/** Gathers the methods of routes without parameters, as they are added. */
function methodsByPath(app: FastifyInstance): ReadonlyMap<string, Set<string>> {
  const methods = new Map<string, Set<string>>();
  app.addHook('onRoute', ({ url, method }) => {
    const known = methods.get(url) ?? new Set();
    for (const one of [method].flat()) known.add(one);
    methods.set(url, known);
  });
  return methods;
}

/** What `Allow` says of a path that is there for other methods; null for one that is not there. */
function methodsOf(path: string, methods: ReadonlyMap<string, Set<string>>): string | null {
  if (cacheObjectOf(path) !== null) return 'GET, HEAD, PUT';
  const known = methods.get(path);
  return known === undefined ? null : [...known].toSorted().join(', ');
}

function answerToError(error: unknown): { readonly status: number; readonly line: string } {
  const { statusCode, message } = error as { readonly statusCode?: unknown; readonly message?: unknown };
  const isClients = typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500;
  if (error instanceof NarScanError || !isClients) return answerOf(error);
  return { status: statusCode, line: answerLine(`nar-scan: ${String(message)}`) };
}

/** Content-Length; null where it is not said. */
function lengthOf(headers: Readonly<Record<string, unknown>>): number | null {
  const length = Number(headers['content-length'] ?? Number.NaN);
  return Number.isSafeInteger(length) ? length : null;
}

/** The path without its query, in which people may send what is nobody's business. */
function shownPath({ originalUrl }: FastifyRequest): string {
  return originalUrl.split('?', 1)[0]?.slice(0, 512) ?? '';
}
