import { LIMITS } from '../model/limits.ts';
import { isSystemDirectory, normalHome } from './homes.ts';

/** Stores that every text about Nix or Guix names; under them a leak is known by its hash part. */
const EVERYWHERE = new Set(['/nix/store', '/gnu/store']);

/**
 * Why a path cannot serve as an alias of the store dir, or null if it can. One that is everywhere
 * (`/`, `/usr`, a part of the logical store dir) would make every output contaminated.
 * @param storeDir the logical store dir
 */
export function refuseAlias(path: string, storeDir: string): string | null {
  if (!path.startsWith('/')) return 'is not an absolute path';
  if (path.includes('\0')) return 'holds a NUL byte';
  if (path.split('/').includes('..')) return "holds '..'";
  const alias = normalHome(path);
  if (alias === storeDir) return 'is the store directory itself';
  if (EVERYWHERE.has(alias)) return 'is what texts about such stores name';
  if (isSystemDirectory(alias)) return 'is a system directory';
  if (storeDir.endsWith(alias)) return 'is a part of every store path';
  if (Buffer.byteLength(alias) < 4) return 'is too short to search for';
  return Buffer.byteLength(alias) > LIMITS.homeBytes ? 'is too long to search for' : null;
}
