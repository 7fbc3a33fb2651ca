import type { Admission, Ruling } from './contracts.ts';

const OUTCOMES = {
  clean: 'admitted',
  released: 'admitted',
  contaminated: 'refused',
  denied: 'refused',
  held: 'held',
  incomplete: 'incomplete',
} as const satisfies Readonly<Record<Ruling['standing'], Admission['outcome']>>;

/** What a ruling is in the chart. */
export function outcomeOf({ standing }: Pick<Ruling, 'standing'>): Admission['outcome'] {
  return OUTCOMES[standing];
}

/**
 * Whether what was ruled so is let in for what it is, and not because the server refuses nothing (`--dry-run`).
 * @param isUninspected it could not be inspected for a fault of this machine, and the server is to let that pass
 */
export function isAdmitted(standing: Ruling['standing'], isUninspected: boolean): boolean {
  return OUTCOMES[standing] === 'admitted' || (isUninspected && standing === 'incomplete');
}
