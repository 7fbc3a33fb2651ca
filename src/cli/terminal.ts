import { isatty, WriteStream } from 'node:tty';
import type { Color } from './flags/scanFlags.ts';

/** Width of what no terminal shows. */
export const DEFAULT_COLUMNS = 80;

export const STDOUT_DESCRIPTOR = 1;
export const STDERR_DESCRIPTOR = 2;

/** Whether what goes to stdout is coloured. */
export function wantsColor(color: Color, environment: NodeJS.ProcessEnv): boolean {
  if (color !== 'auto') return color === 'always';
  const refused = (environment['NO_COLOR'] ?? '') !== '' || environment['TERM'] === 'dumb';
  return !refused && isatty(STDOUT_DESCRIPTOR);
}

/** Width of the terminal behind stdout or stderr. */
export function columnsOf(descriptor: 1 | 2): number {
  if (!isatty(descriptor)) return DEFAULT_COLUMNS;
  const stream = descriptor === STDOUT_DESCRIPTOR ? process.stdout : process.stderr;
  return stream instanceof WriteStream && stream.columns > 0 ? stream.columns : DEFAULT_COLUMNS;
}
