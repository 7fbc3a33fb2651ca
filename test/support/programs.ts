import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

function onPath(program: string): boolean {
  return (process.env['PATH'] ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/**
 * Whether all these programs are on this machine. In CI a missing one is an error, so that no
 * test is skipped there unseen; elsewhere use it as `describe.skipIf(!needs('nix-store'))(...)`.
 */
export function needs(...programs: readonly string[]): boolean {
  const missing = programs.filter((program) => !onPath(program));
  if (missing.length > 0 && process.env['CI'] !== undefined) {
    throw new Error(`CI must have these programs: ${missing.join(', ')}`);
  }
  return missing.length === 0;
}
