import { readFileSync } from 'node:fs';

/** The file beside this module, in the bundle as in the source, that holds the function nix_realpath for POSIX sh. */
export const SHELL_FUNCTION = 'nix-realpath.sh';

export function shellFunction(): string {
  return readFileSync(new URL(SHELL_FUNCTION, import.meta.url), 'utf8');
}
