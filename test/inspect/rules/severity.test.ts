import { expect, it } from 'vitest';
import { compareSeverity, severityOf } from '../../../src/inspect/rules/severity.ts';
import { CARRIERS, SEVERITIES, type Carrier, type Rule, type Severity } from '../../../src/model/facts.ts';

const LOADER: readonly Carrier[] = ['rpath', 'runpath', 'interp', 'macho-rpath', 'macho-dylinker'];

/** All others but entry names are structural. */
const TEXT: readonly Carrier[] = [
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
];

function expected(rule: Rule, carrier: Carrier): Severity {
  const structural = !TEXT.includes(carrier) && carrier !== 'entry-name';
  switch (rule) {
    case 'known-home':
    case 'store-alias':
      return 'error';
    case 'root-home':
      return structural ? 'error' : 'warning';
    case 'foreign-home':
      return TEXT.includes(carrier) ? 'warning' : 'error';
    case 'placeholder-home':
      return LOADER.includes(carrier) ? 'warning' : 'note';
    case 'build-dir':
      return 'note';
  }
}

it.each(CARRIERS)('%s: each rule as the table says', (carrier) => {
  for (const rule of [
    'known-home',
    'store-alias',
    'root-home',
    'placeholder-home',
    'foreign-home',
    'build-dir',
  ] as const)
    expect(severityOf({ rule, home: null, base: 'error' }, carrier), rule).toBe(expected(rule, carrier));
});

it('an alias keeps its own severity, but one in somebody’s home is an error in every field', () => {
  for (const base of SEVERITIES) {
    expect(severityOf({ rule: 'store-alias', home: null, base }, 'symlink')).toBe(base);
    expect(severityOf({ rule: 'store-alias', home: '/home/u', base }, 'bytes')).toBe(base);
    expect(severityOf({ rule: 'store-alias', home: '/home/u', base }, 'runpath')).toBe('error');
  }
});

it('sorts the worst first', () => {
  expect(
    ['note', 'error', 'warning'].toSorted((a, b) => compareSeverity(a as Severity, b as Severity)),
  ).toEqual(['error', 'warning', 'note']);
});
