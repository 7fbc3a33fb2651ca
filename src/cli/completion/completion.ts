import { NarScanError } from '../../model/errors.ts';
import { bashCompletion } from './bash.ts';
import { fishCompletion } from './fish.ts';
import { zshCompletion } from './zsh.ts';

const SHELLS: Readonly<Record<string, () => string>> = {
  bash: bashCompletion,
  zsh: zshCompletion,
  fish: fishCompletion,
};

/**
 * The completion script of a shell.
 * @throws NarScanError USAGE_BAD_VALUE
 */
export function completionScript(operands: readonly string[]): string {
  const [shell = '', ...others] = operands;
  const script = Object.hasOwn(SHELLS, shell) ? SHELLS[shell] : undefined;
  if (script === undefined || others.length > 0) {
    throw new NarScanError('USAGE_BAD_VALUE', `completion takes one of ${Object.keys(SHELLS).join(', ')}`);
  }
  return script();
}
