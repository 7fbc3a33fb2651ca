import {
  type Carrier,
  LOADER_CARRIERS,
  type Severity,
  STRUCTURAL_CARRIERS,
  TEXT_CARRIERS,
} from '../../model/facts.ts';
import type { Leak } from './classify.ts';

const LOADER = new Set(LOADER_CARRIERS);
const TEXT = new Set(TEXT_CARRIERS);
const STRUCTURAL = new Set(STRUCTURAL_CARRIERS);

/** How bad a leak in `carrier` is (DESIGN.md, "Rules"). */
export function severityOf(leak: Pick<Leak, 'rule' | 'base' | 'home'>, carrier: Carrier): Severity {
  switch (leak.rule) {
    case 'known-home':
      return 'error';
    case 'store-alias':
      // a store in somebody's home, in a field that is a path: as bad as the home alone
      return leak.home !== null && STRUCTURAL.has(carrier) ? 'error' : leak.base;
    case 'root-home':
      return STRUCTURAL.has(carrier) ? 'error' : 'warning';
    case 'foreign-home':
      // an entry name comes here only when it is anchored at the output's own root
      return TEXT.has(carrier) ? 'warning' : 'error';
    case 'placeholder-home':
      return LOADER.has(carrier) ? 'warning' : 'note';
    case 'build-dir':
      return 'note';
  }
}

const RANK: Record<Severity, number> = { error: 0, warning: 1, note: 2 };

/** Sorts the worst first. */
export function compareSeverity(a: Severity, b: Severity): number {
  return RANK[a] - RANK[b];
}
