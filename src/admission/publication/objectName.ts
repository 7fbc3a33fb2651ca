import { BASE32_ALPHABET } from '../../nix/base32.ts';
import { parseStorePathName } from '../../nix/storePath.ts';

/** What clients send beside NARs and narinfos, by its name. */
export type ObjectName =
  | { readonly kind: 'listing' | 'debuginfo' }
  /** Base name of the derivation whose build it tells of. */
  | { readonly kind: 'log'; readonly derivation: string }
  /** The id that it must have; null: its name says of what it is. */
  | { readonly kind: 'realisation'; readonly id: string | null };

const LISTING = new RegExp(`^[${BASE32_ALPHABET}]{32}\\.ls$`);
/** An id that linkers write: 20 bytes. */
const DEBUG_INFO = /^debuginfo\/[0-9a-f]{40}(?:\.debug)?$/;
const LOG = /^log\/([^/]+\.drv)$/;
const REALISATION = /^realisations\/([^/]+)\.doi$/;
const BUILD_TRACE = /^build-trace-v2\/([^/]+\.drv)\/[0-9A-Za-z+\-._?=]{1,211}\.doi$/;

/** Null for what is no object of a binary cache. */
export function parseObjectName(name: string): ObjectName | null {
  if (LISTING.test(name)) return { kind: 'listing' };
  if (DEBUG_INFO.test(name)) return { kind: 'debuginfo' };
  const [, derivation] = LOG.exec(name) ?? [];
  if (derivation !== undefined) return isStorePathName(derivation) ? { kind: 'log', derivation } : null;
  const [, traced] = BUILD_TRACE.exec(name) ?? [];
  if (traced !== undefined) return isStorePathName(traced) ? { kind: 'realisation', id: null } : null;
  const [, id] = REALISATION.exec(name) ?? [];
  return id === undefined ? null : { kind: 'realisation', id };
}

function isStorePathName(name: string): boolean {
  return parseStorePathName(name) !== null;
}
