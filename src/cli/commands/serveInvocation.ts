import { availableParallelism } from 'node:os';
import { activatedSocket, type ListenAddress, listenAddressOf } from '../../admission/http/listenAddress.ts';
import { stateDirOf } from '../../ledger/stateDir.ts';
import { NarScanError } from '../../model/errors.ts';
import type { Arguments } from '../arguments.ts';
import { surroundedOf } from '../invocation.ts';

/** A command line of serve that was understood. */
export interface ServeInvocation {
  readonly listen: ListenAddress;
  readonly storage: string;
  /** In which the state of the server is that of this user. */
  readonly environment: NodeJS.ProcessEnv;
  readonly state: string;
  readonly storeDir: string;
  readonly homes: readonly string[];
  readonly hostHomes: boolean;
  readonly policy: string | null;
  readonly tokens: string | null;
  readonly noAuth: boolean;
  readonly signKey: string | null;
  readonly scans: number;
  readonly dryRun: boolean;
}

const DEFAULT_LISTEN = '127.0.0.1:8080';

/**
 * Understands a command line of serve in its environment. Nothing on disk is looked at.
 * @param pid of this process, for which systemd may have opened a socket
 * @throws NarScanError USAGE_MISSING_VALUE, USAGE_BAD_VALUE, USAGE_BAD_HOME, STATE_UNKNOWN
 */
export function serveInvocationOf(
  said: Arguments,
  environment: NodeJS.ProcessEnv,
  pid: number,
): ServeInvocation {
  const [operand] = said.targets;
  if (operand !== undefined) throw new NarScanError('USAGE_BAD_VALUE', `serve takes no '${operand}'`);
  const storage = said.last('storage');
  if (storage === null) throw new NarScanError('USAGE_MISSING_VALUE', 'serve needs --storage URL');
  const noAuth = said.has('no-auth');
  const signKey = said.last('sign-key');
  if (noAuth && signKey !== null) {
    throw new NarScanError('USAGE_BAD_VALUE', '--no-auth never signs: use --tokens FILE, or no --sign-key');
  }
  const scans = said.last('scans');
  const state = said.last('state') ?? stateDirOf(environment);
  const { storeDir, homes, hostHomes } = surroundedOf(said, environment);
  return {
    listen: listenOf(said.last('listen'), environment, pid),
    storage,
    environment: { ...environment, NAR_SCAN_STATE: state },
    state,
    storeDir,
    homes,
    hostHomes,
    policy: said.last('policy'),
    tokens: said.last('tokens'),
    noAuth,
    signKey,
    scans: scans === null ? availableParallelism() : Number(scans),
    dryRun: said.has('dry-run'),
  };
}

/** What was asked for; else the socket that systemd opened; else this machine alone. */
function listenOf(text: string | null, environment: NodeJS.ProcessEnv, pid: number): ListenAddress {
  const socket = activatedSocket(environment, pid);
  if (socket !== null && socket.count > 1) {
    throw new NarScanError('USAGE_BAD_VALUE', `systemd opened ${socket.count} sockets: serve takes one`);
  }
  if (socket !== null && text !== null) {
    throw new NarScanError('USAGE_BAD_VALUE', '--listen and a socket of systemd exclude each other');
  }
  if (socket !== null) return { fd: socket.fd };
  const address = listenAddressOf(text ?? DEFAULT_LISTEN);
  if (address === null) throw new NarScanError('USAGE_BAD_VALUE', `--listen: '${text}' is no address`);
  return address;
}
