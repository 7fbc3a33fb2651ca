import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { NarScanError } from '../../model/errors.ts';
import type { Storage } from '../storage.ts';
import { credentialsOf } from './credentials.ts';
import { DirectoryStorage } from './directory.ts';
import { UpstreamStorage } from './upstream.ts';

/**
 * Opens what `--storage` names: `file:///directory`, or `http://` or `https://` of a cache that takes uploads.
 * Its user and password stand in the URL, or in the file of netrc that `NETRC` names, else `~/.netrc`.
 *
 * @throws NarScanError USAGE_BAD_VALUE, STORAGE_UNUSABLE, STORAGE_FULL
 */
export async function openStorage(text: string, environment: NodeJS.ProcessEnv): Promise<Storage> {
  const url = URL.parse(text);
  if (url?.protocol === 'file:') return await DirectoryStorage.open(directoryOf(url));
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:') throw badUrl();
  if (url.search !== '' || url.hash !== '') throw badUrl();
  const netrc = environment['NETRC'] ?? join(environment['HOME'] ?? homedir(), '.netrc');
  const authorization = credentialsOf(url, netrc);
  url.username = '';
  url.password = '';
  return new UpstreamStorage(url, authorization);
}

function directoryOf(url: URL): string {
  try {
    if (url.search === '' && url.hash === '') return fileURLToPath(url);
  } catch {
    // it has a host, or a slash in a name
  }
  throw badUrl();
}

// the URL may hold a password: it is not told
function badUrl(): NarScanError {
  return new NarScanError(
    'USAGE_BAD_VALUE',
    '--storage: give file:///directory, http://host/path or https://host/path',
  );
}
