import { readFileSync } from 'node:fs';
import { NarScanError } from '../../model/errors.ts';
import { LIMITS } from '../../model/limits.ts';
import { authorizationFor } from '../../nix/netrc.ts';
import { netrcFileOf } from '../../nix/settings.ts';
import { readSettingsFile, SettingsFileFault } from '../../ledger/settingsFile.ts';
import { registerHomes } from '../../guard/copy/homeRegistration.ts';
import { printableText } from '../../report/printable.ts';
import { writeDiagnostic } from '../diagnostics.ts';
import type { CopyInvocation } from './copyInvocation.ts';

/**
 * Before anything is sent to a cache over HTTP: where its server is nar-scan's, it is told which homes to search for,
 * with the credentials that Nix will send with. That it could not be told is no reason to send nothing: the server
 * searches for the homes that it knows.
 */
export async function tellHomes(
  { to, nixFlags }: CopyInvocation,
  homes: readonly string[],
  environment: NodeJS.ProcessEnv,
  signal: AbortSignal,
): Promise<void> {
  if (!/^https?:/i.test(to.url) || !URL.canParse(to.url) || homes.length === 0) return;
  const cache = new URL(to.url);
  try {
    const authorization = authorizationFor(cache, () => netrcText(netrcFileOf(nixFlags, environment)));
    const certificates = certificatesOf(environment);
    const why = await registerHomes({ cache, authorization, certificates, homes }, signal);
    if (why !== null) tell(to.shown, to.redact(why));
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof NarScanError)) throw error;
    tell(to.shown, error.message);
  }
}

function tell(shown: string, why: string): void {
  writeDiagnostic(
    `nar-scan: ${printableText(shown)} was not told which homes to search for: ${printableText(why)}\n`,
  );
}

/** '' where there is none. @throws NarScanError NETRC_UNREADABLE */
function netrcText(file: string): string {
  try {
    return readSettingsFile(file, LIMITS.netrcBytes, () => undefined).toString();
  } catch (error) {
    if (!(error instanceof SettingsFileFault)) throw error;
    if (error.isMissing) return '';
    throw new NarScanError('NETRC_UNREADABLE', `'${file}' cannot be read: ${error.message}`, {
      cause: error,
    });
  }
}

/** Certificates as Nix takes them from its environment; those that Node brings where it names none that can be read. */
function certificatesOf(environment: NodeJS.ProcessEnv): string | null {
  const file = environment['NIX_SSL_CERT_FILE'] ?? environment['SSL_CERT_FILE'] ?? '';
  if (file === '') return null;
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}
