/** Where the server listens. */
export type ListenAddress =
  | { readonly host: string; readonly port: number }
  | { readonly path: string }
  /** A socket that is open already. */
  | { readonly fd: number };

/** The first descriptor that systemd hands over. (sd_listen_fds(3).) */
const FIRST_DESCRIPTOR = 3;
const PORT_MOST = 65_535;
/** What `sun_path` holds on every system that Node runs on, without its NUL. */
const SOCKET_PATH_MOST = 103;

/** What `HOST:PORT`, `[IPV6]:PORT` and `unix:/PATH` mean; null where it is none of these. */
export function listenAddressOf(text: string): ListenAddress | null {
  if (text.startsWith('unix:')) {
    const path = text.slice('unix:'.length);
    const fits = Buffer.byteLength(path) <= SOCKET_PATH_MOST && !path.includes('\0');
    return path.startsWith('/') && fits ? { path } : null;
  }
  const colon = text.lastIndexOf(':');
  const [host, port] = [text.slice(0, Math.max(0, colon)), text.slice(colon + 1)];
  if (!/^[0-9]{1,5}$/.test(port) || Number(port) > PORT_MOST) return null;
  const bare = host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : null;
  // loaded where it is needed: the command line reads this at every start
  const { isIPv6 } = process.getBuiltinModule('node:net');
  if (bare !== null) return isIPv6(bare) ? { host: bare, port: Number(port) } : null;
  return /^[0-9A-Za-z.-]+$/.test(host) ? { host, port: Number(port) } : null;
}

/**
 * The socket that systemd has opened for this process; null where it has not.
 * @param pid of this process
 */
export function activatedSocket(
  environment: NodeJS.ProcessEnv,
  pid: number,
): { readonly fd: number; readonly count: number } | null {
  if (environment['LISTEN_PID'] !== String(pid)) return null;
  const count = Number(environment['LISTEN_FDS'] ?? '');
  return Number.isSafeInteger(count) && count > 0 ? { fd: FIRST_DESCRIPTOR, count } : null;
}
