import { fstatSync, statSync } from 'node:fs';
import type { WriteStream } from 'node:tty';
import type { Color } from './flags/scanFlags.ts';

/** Width of what no terminal shows. */
export const DEFAULT_COLUMNS = 80;

export const STDOUT_DESCRIPTOR = 1;
export const STDERR_DESCRIPTOR = 2;

/** Whether a descriptor is a terminal's. The module that knows is loaded only where it may be one. */
export function isTerminal(descriptor: number): boolean {
  try {
    const stats = fstatSync(descriptor);
    if (!stats.isCharacterDevice() || stats.rdev === statSync('/dev/null').rdev) return false;
  } catch {
    // that module knows
  }
  return process.getBuiltinModule('node:tty').isatty(descriptor);
}

/** Whether what goes to stdout is coloured. */
export function wantsColor(color: Color, environment: NodeJS.ProcessEnv): boolean {
  if (color !== 'auto') return color === 'always';
  const refused = (environment['NO_COLOR'] ?? '') !== '' || environment['TERM'] === 'dumb';
  return !refused && isTerminal(STDOUT_DESCRIPTOR);
}

/** Width of the terminal behind stdout or stderr. */
export function columnsOf(descriptor: 1 | 2): number {
  if (!isTerminal(descriptor)) return DEFAULT_COLUMNS;
  const stream: Partial<WriteStream> = descriptor === STDOUT_DESCRIPTOR ? process.stdout : process.stderr;
  return stream.columns !== undefined && stream.columns > 0 ? stream.columns : DEFAULT_COLUMNS;
}
