import { type Carrier, CARRIERS } from '../model/facts.ts';

/**
 * Groups of carriers that a policy gives severities to, the widest first: of several that hold a
 * carrier the last one decides.
 */
export const CARRIER_GROUPS = {
  any: CARRIERS,
  /** Bytes of no known meaning, and text of a file whose kind is known. */
  bytes: [
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
  ],
  /** What is looked up as a path. */
  structural: [
    'symlink',
    'rpath',
    'runpath',
    'interp',
    'needed',
    'soname',
    'audit',
    'filter',
    'config',
    'macho-rpath',
    'macho-dylib',
    'macho-dylinker',
    'shebang',
    'pkg-config',
    'libtool',
    'cmake',
  ],
  'entry-name': ['entry-name'],
  symlink: ['symlink'],
  /** Where a loader looks for libraries, and the loader itself. */
  loader: ['rpath', 'runpath', 'interp', 'macho-rpath', 'macho-dylinker'],
} as const satisfies Readonly<Record<string, readonly Carrier[]>>;

export type CarrierGroup = keyof typeof CARRIER_GROUPS;

export const GROUP_NAMES = Object.keys(CARRIER_GROUPS) as readonly CarrierGroup[];

/** The groups that hold a carrier, the narrowest first. */
export function groupsOf(carrier: Carrier): readonly CarrierGroup[] {
  const holds = (name: CarrierGroup): boolean =>
    (CARRIER_GROUPS[name] as readonly Carrier[]).includes(carrier);
  return GROUP_NAMES.filter(holds).toReversed();
}
