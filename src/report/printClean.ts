import { printableText } from './printable.ts';
import type { Reporter } from './reporter.ts';

/**
 * The paths of clean outputs, one a line, for a pipe. A path with a line break or another
 * unprintable character in it could be read as two; it is left out, as if it were not clean.
 */
export function printCleanReporter(): Reporter {
  return {
    begin: () => '',
    output({ verdict, storePath, target }) {
      // what came through a pipe without a name has no path
      const path = storePath ?? (target === '-' ? '' : target);
      return verdict === 'clean' && path !== '' && printableText(path) === path ? `${path}\n` : '';
    },
    end: () => [],
  };
}
