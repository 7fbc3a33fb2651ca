import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { Socket } from 'node:net';
import { LIMITS } from '../../model/limits.ts';

/**
 * A server that no client can hold up: headers are bounded in size and time, silent connections are closed, and a
 * body is asked for (`Expect: 100-continue`) when somebody begins to read it, not before. How fast bodies must come
 * is the business of whoever reads them.
 */
export function httpServer(handle: RequestListener): Server {
  const server = createServer(
    {
      maxHeaderSize: LIMITS.serverHeaderBytes,
      headersTimeout: LIMITS.serverHeaderMilliseconds,
      // an upload may take as long as it goes on
      requestTimeout: 0,
      keepAliveTimeout: LIMITS.serverKeepAliveMilliseconds,
      connectionsCheckingInterval: LIMITS.serverHeaderMilliseconds / 4,
      noDelay: true,
      insecureHTTPParser: false,
    },
    (request, response) => {
      watch(request, response);
      handle(request, response);
    },
  );
  server.maxConnections = LIMITS.serverConnections;
  server.maxRequestsPerSocket = LIMITS.serverConnectionRequests;
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    request.on('newListener', (event) => {
      if ((event === 'data' || event === 'readable') && !response.headersSent) response.writeContinue();
    });
    watch(request, response);
    handle(request, response);
  });
  server.setTimeout(LIMITS.serverSilenceMilliseconds, silent);
  server.on('clientError', refuse);
  return server;
}

/** What each connection is about. */
const exchanges = new WeakMap<
  Socket,
  { readonly request: IncomingMessage; readonly response: ServerResponse }
>();

function watch(request: IncomingMessage, response: ServerResponse): void {
  const { socket, headers } = request;
  exchanges.set(socket, { request, response });
  // Node ends the last exchange of a connection right behind the answer, which is lost to a client that still sends
  const hasBody = 'content-length' in headers || 'transfer-encoding' in headers;
  const isLast = hasBody && !response.shouldKeepAlive;
  if (isLast) response.shouldKeepAlive = true;
  response.once('finish', () => {
    // the next request of this connection may have come already
    if (exchanges.get(socket)?.response === response) exchanges.delete(socket);
    const whole = (): void => void (isLast && socket.end());
    if (request.complete) whole();
    else dropRest(request, response, whole);
  });
}

/** Ends a connection whose client neither sends nor reads; where a whole request is being answered the silence is ours. */
function silent(socket: Socket): void {
  const exchange = exchanges.get(socket);
  if (exchange?.request.complete === true && !exchange.response.headersSent) {
    socket.setTimeout(LIMITS.serverSilenceMilliseconds);
  } else {
    socket.destroy();
  }
}

/**
 * What is left of a body when the answer is out is read and dropped by Node, which keeps a client that reads only
 * when it has sent from losing the answer; but not without end.
 */
function dropRest(request: IncomingMessage, { statusCode }: ServerResponse, whole: () => void): void {
  const { socket } = request;
  const { bytesRead } = socket;
  const began = performance.now();
  const timer = setInterval(() => {
    // who is told that all is well goes on sending, and must not be cut off
    const isOver =
      statusCode >= 300 &&
      (socket.bytesRead - bytesRead > LIMITS.serverUnwantedBytes ||
        performance.now() - began > LIMITS.serverUnwantedMilliseconds);
    if (request.complete) whole();
    else if (isOver) socket.destroy();
    if (request.complete || socket.destroyed) clearInterval(timer);
  }, 100);
  timer.unref();
}

/** What could not even be read as a request is told so, where anybody still listens. */
function refuse(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const [status, line] = REFUSALS[error.code ?? ''] ?? [400, 'this is no HTTP request'];
  const body = `nar-scan: ${line}\n`;
  const head = `HTTP/1.1 ${status} ${line}\r\nContent-Type: text/plain\r\nContent-Length: ${body.length}`;
  socket.end(`${head}\r\nConnection: close\r\n\r\n${body}`);
}

const REFUSALS: Readonly<Record<string, readonly [number, string]>> = {
  HPE_HEADER_OVERFLOW: [431, 'the headers are too large'],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: [413, 'the chunk extensions are too large'],
  ERR_HTTP_REQUEST_TIMEOUT: [400, 'the headers came too slowly'],
};
