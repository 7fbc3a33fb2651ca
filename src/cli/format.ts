import { NarScanError } from '../model/errors.ts';
import type { Arguments } from './arguments.ts';
import type { Format } from './flags/scanFlags.ts';

/**
 * The format that was asked for, of a command that knows not all of them.
 * @param known those that it knows, the default first
 * @throws NarScanError USAGE_BAD_VALUE
 */
export function formatOf<T extends Format>(said: Arguments, known: readonly [T, ...T[]]): T {
  const format = said.last('format') ?? known[0];
  const found = known.find((one) => one === format);
  if (found !== undefined) return found;
  const words = `${known.slice(0, -1).join(', ')} and ${known.at(-1)}`;
  throw new NarScanError('USAGE_BAD_VALUE', `--format: ${said.command} knows ${words}, not ${format}`);
}
