import {
  type Carrier,
  CARRIERS,
  LOADER_CARRIERS,
  STRUCTURAL_CARRIERS,
  TEXT_CARRIERS,
} from '../model/facts.ts';

/**
 * Groups of carriers that a policy gives severities to, the widest first: of several that hold a
 * carrier the last one decides.
 */
export const CARRIER_GROUPS = {
  any: CARRIERS,
  bytes: TEXT_CARRIERS,
  structural: STRUCTURAL_CARRIERS,
  'entry-name': ['entry-name'],
  symlink: ['symlink'],
  loader: LOADER_CARRIERS,
} as const satisfies Readonly<Record<string, readonly Carrier[]>>;

export type CarrierGroup = keyof typeof CARRIER_GROUPS;

export const GROUP_NAMES = Object.keys(CARRIER_GROUPS) as readonly CarrierGroup[];

/** The groups that hold a carrier, the narrowest first. */
export function groupsOf(carrier: Carrier): readonly CarrierGroup[] {
  const holds = (name: CarrierGroup): boolean =>
    (CARRIER_GROUPS[name] as readonly Carrier[]).includes(carrier);
  return GROUP_NAMES.filter(holds).toReversed();
}
