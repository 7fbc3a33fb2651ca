import { refuseTokenName, SCOPES } from '../../admission/contracts.ts';
import { listenAddressOf } from '../../admission/http/listenAddress.ts';
import { absoluteDirectory, listOf, notEmpty, wholeNumber } from '../flagValues.ts';
import type { Flag } from './flag.ts';

/** Scans at once that can be asked for. */
const SCANS_MOST = 64;

/** Options of the cache server and its tokens: a part of the table of options. */
export const SERVER_FLAGS = [
  {
    name: 'listen',
    value: { name: 'HOST:PORT|unix:PATH', check: listenAddress },
    repeat: false,
    group: 'Server',
    help: 'where clients reach it (127.0.0.1:8080, or the socket of systemd); port 0 is a free one',
    commands: ['serve'],
  },
  {
    name: 'storage',
    value: { name: 'URL', check: notEmpty },
    repeat: false,
    group: 'Server',
    help: 'where admitted outputs lie: file:///DIR, or an http:// or https:// cache that takes uploads from here alone',
    commands: ['serve'],
  },
  {
    name: 'state',
    value: { name: 'DIR', check: absoluteDirectory },
    repeat: false,
    group: 'Server',
    help: 'catalog, spool, quarantine and audit trail (else NAR_SCAN_STATE, else the state directory of the user)',
    commands: ['serve'],
  },
  {
    name: 'tokens',
    value: { name: 'FILE', check: notEmpty },
    repeat: false,
    group: 'Server',
    help: 'who may do what; read anew when it changes',
    commands: ['serve'],
  },
  {
    name: 'no-auth',
    value: null,
    repeat: false,
    group: 'Server',
    help: 'everybody on this machine may do everything; no path is signed',
    commands: ['serve'],
  },
  {
    name: 'sign-key',
    value: { name: 'FILE', check: notEmpty },
    repeat: false,
    group: 'Server',
    help: 'the secret key, as of nix-store --generate-binary-cache-key, that signs what a trusted key has signed',
    commands: ['serve'],
  },
  {
    name: 'scans',
    value: wholeNumber(1, SCANS_MOST),
    repeat: false,
    group: 'Server',
    help: 'how many uploads are searched at once, besides one that is small (else one for each core)',
    commands: ['serve'],
  },
  {
    name: 'name',
    value: { name: 'NAME', check: refuseTokenName },
    repeat: false,
    group: 'Server',
    help: 'what the holder of the token is called in the log and the audit trail',
    commands: ['token new'],
  },
  {
    name: 'scope',
    value: listOf(SCOPES),
    repeat: true,
    group: 'Server',
    help: 'what it is for: fetching, sending, decisions on what was refused, all of these; sign: the server signs what comes with it',
    commands: ['token new'],
  },
] as const satisfies readonly Flag[];

function listenAddress(text: string): string | null {
  return listenAddressOf(text) === null ? 'is no HOST:PORT, [ADDRESS]:PORT or unix:/PATH' : null;
}
