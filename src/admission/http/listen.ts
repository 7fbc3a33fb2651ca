import { lstat, rm } from 'node:fs/promises';
import type { Server } from 'node:http';
import { type AddressInfo, connect, type ListenOptions } from 'node:net';
import { NarScanError } from '../../model/errors.ts';
import type { ListenAddress } from './listenAddress.ts';

/** Why it cannot be listened somewhere, by the code of the system. */
const REASONS: ReadonlyMap<string, string> = new Map([
  ['EADDRINUSE', 'a program listens there already'],
  ['EADDRNOTAVAIL', 'this machine has no such address'],
  ['ENOTFOUND', 'nobody knows a machine of this name'],
  ['EACCES', 'this user may not'],
]);

/** Connections that the system keeps until they are accepted. */
const BACKLOG = 1024;

/**
 * Begins to listen.
 * @returns where, as people may type it: `http://127.0.0.1:8080`, `unix:/run/x`
 * @throws NarScanError LISTEN_FAILED
 */
export async function listen(server: Server, address: ListenAddress): Promise<string> {
  if ('path' in address) await removeDeadSocket(address.path);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  server.once('listening', resolve);
  // Node takes a descriptor, too, and its types do not say so
  server.listen({ ...address, backlog: BACKLOG } as ListenOptions);
  try {
    await promise;
  } catch (error) {
    throw listenFailed(address, error);
  } finally {
    server.off('error', reject);
  }
  return shownAddress(server.address());
}

function shownAddress(address: AddressInfo | string | null): string {
  if (address === null || typeof address === 'string') return `unix:${address ?? ''}`;
  const host = address.family === 'IPv6' ? `[${address.address}]` : address.address;
  return `http://${host}:${address.port}`;
}

/** Takes away what a server that was killed has left; one that still answers keeps its place. */
async function removeDeadSocket(path: string): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  const socket = connect(path);
  socket.once('connect', () => resolve(undefined));
  socket.once('error', ({ code }: NodeJS.ErrnoException) => resolve(code));
  const code = await promise;
  socket.destroy();
  if (code !== 'ECONNREFUSED') return;
  // so it is said of files that are no sockets, too
  const status = await lstat(path).catch(() => null);
  if (status?.isSocket() === true) await rm(path, { force: true });
}

function listenFailed(address: ListenAddress, error: unknown): NarScanError {
  const [where] = 'host' in address ? [`${address.host}:${address.port}`] : Object.values(address);
  const { code = '', message } = error as NodeJS.ErrnoException;
  const said = REASONS.get(code) ?? (code === '' ? message : code);
  // the code is the same
  const reason = code === 'EACCES' && 'path' in address ? `${said}, or its directory is missing` : said;
  return new NarScanError('LISTEN_FAILED', `'${where}' cannot be listened on: ${reason}`, {
    cause: error,
  });
}
