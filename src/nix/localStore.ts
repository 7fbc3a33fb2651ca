import { dirname, isAbsolute, join, resolve } from 'node:path';

/** What a store URL says of a store on this machine; null where it leaves the default. */
export interface LocalStore {
  /** What stands before the logical store dir on disk: the root of a chroot store. */
  readonly root: string | null;
  /** The logical store dir. */
  readonly storeDir: string | null;
  /** Where the store's files really lie, if neither at the logical store dir nor below the root. */
  readonly realDir: string | null;
  readonly stateDir: string | null;
}

export const DEFAULT_STATE_DIR = '/nix/var/nix';
const DEFAULT: LocalStore = { root: null, storeDir: null, realDir: null, stateDir: null };

/**
 * Reads a store URL as Nix's `--store` and NIX_REMOTE take it: empty, `auto`, `daemon`, `unix://…`,
 * `local`, `local?root=…`, `local://ROOT`, a path. Null for a store that is not on this machine's
 * disk (`ssh://`, `https://`, `file://`, which is a binary cache …).
 */
export function localStoreOf(url: string): LocalStore | null {
  const [place = '', query = ''] = url.split(/\?(.*)/s);
  const settings = new URLSearchParams(query);
  const setting = (name: string): string | null => {
    const value = settings.get(name) ?? '';
    return value === '' ? null : resolve(value);
  };
  let root = setting('root');
  if (place.startsWith('local://')) root ??= place === 'local://' ? null : resolve(place.slice(8));
  else if (isPath(place)) root ??= resolve(place);
  else if (!/^(?:|auto|daemon|local|unix:\/\/.*)$/s.test(place)) return null;
  if (root === '/') root = null;
  const said = { storeDir: setting('store'), realDir: setting('real'), stateDir: setting('state') };
  return { ...DEFAULT, root, ...said };
}

/** Nix takes for a path what has a slash and no scheme. */
function isPath(place: string): boolean {
  return isAbsolute(place) || (place.includes('/') && !/^[a-z][a-z0-9+.-]*:/i.test(place));
}

/**
 * The state directories in which the Nix database of a store may lie, the likeliest first. A store
 * that was moved by NIX_STORE_DIR has its state beside it, or where Nix was built to keep it.
 */
export function stateDirsOf(
  storeDir: string,
  store: LocalStore | null,
  environment: NodeJS.ProcessEnv,
): readonly string[] {
  if (store !== null && store.stateDir !== null) return [store.stateDir];
  if (store !== null && store.root !== null) return [`${store.root}${DEFAULT_STATE_DIR}`];
  const named = environment['NIX_STATE_DIR'] ?? '';
  if (named !== '') return [resolve(named)];
  return [...new Set([join(dirname(storeDir), 'var/nix'), DEFAULT_STATE_DIR])];
}
