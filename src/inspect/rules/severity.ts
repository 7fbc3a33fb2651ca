import type { Carrier, Severity } from '../../model/facts.ts';
import type { Leak } from './classify.ts';

const LOADER_FIELDS = new Set<Carrier>(['rpath', 'runpath', 'interp', 'macho-rpath', 'macho-dylinker']);
/** Text of a file of a known kind that nothing looks up as a path, or not every time. */
const TEXT = new Set<Carrier>([
  'bytes',
  'pdb',
  'config-script',
  'python-code',
  'python-config',
  'ruby-config',
  'packlist',
  'source-map',
  'java-class',
  'rust-metadata',
  'gcov-notes',
]);
const UNSTRUCTURED = new Set<Carrier>([...TEXT, 'entry-name']);

/** How bad a leak in `carrier` is (DESIGN.md, "Rules"). */
export function severityOf(leak: Pick<Leak, 'rule' | 'base' | 'home'>, carrier: Carrier): Severity {
  switch (leak.rule) {
    case 'known-home':
      return 'error';
    case 'store-alias':
      // a store in somebody's home, in a field that is a path: as bad as the home alone
      return leak.home !== null && !UNSTRUCTURED.has(carrier) ? 'error' : leak.base;
    case 'root-home':
      return UNSTRUCTURED.has(carrier) ? 'warning' : 'error';
    case 'foreign-home':
      // an entry name comes here only when it is anchored at the output's own root
      return TEXT.has(carrier) ? 'warning' : 'error';
    case 'placeholder-home':
      return LOADER_FIELDS.has(carrier) ? 'warning' : 'note';
    case 'build-dir':
      return 'note';
  }
}

const RANK: Record<Severity, number> = { error: 0, warning: 1, note: 2 };

/** Sorts the worst first. */
export function compareSeverity(a: Severity, b: Severity): number {
  return RANK[a] - RANK[b];
}
