import { readFileSync, statSync } from 'node:fs';
import { LIMITS } from '../../model/limits.ts';
import { authorizationFor } from '../../nix/netrc.ts';
import { saysMissing, storageFault } from './fault.ts';

/**
 * The Authorization header for a server: of the user and password in its URL, else of what a netrc file has for its
 * host; null for none.
 *
 * @param netrc a file that need not be there
 * @throws NarScanError STORAGE_FAILED where it is there and cannot be read
 */
export function credentialsOf(url: URL, netrc: string): string | null {
  return authorizationFor(url, () => textOf(netrc));
}

function textOf(file: string): string {
  try {
    if (statSync(file).size > LIMITS.netrcBytes) throw new Error('it is too long');
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (saysMissing(error)) return '';
    throw storageFault(`'${file}' cannot be read`, error);
  }
}
