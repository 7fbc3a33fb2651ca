import { NarScanError } from '../model/errors.ts';
import type { Arguments } from './arguments.ts';

/**
 * The format that was asked for, of a command that tells for people and as one JSON document.
 * @throws NarScanError USAGE_BAD_VALUE
 */
export function humanOrJson(said: Arguments): 'human' | 'json' {
  const format = said.last('format') ?? 'human';
  if (format === 'human' || format === 'json') return format;
  throw new NarScanError('USAGE_BAD_VALUE', `--format: ${said.command} knows human and json, not ${format}`);
}
