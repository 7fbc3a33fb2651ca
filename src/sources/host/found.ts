/** A directory that may be searched for, and where it was found. */
export interface Found {
  readonly path: string;
  /** Such as `HOME` or `--home`; of several places the first. */
  readonly from: string;
  /** Why it is left out, if it is. */
  readonly reason?: string;
  /** It is left out as the home of a user who is no person. */
  readonly service?: true;
}

/** Each directory once, as it was found first where it is not left out. */
export function distinct(found: Iterable<Found>): readonly Found[] {
  const first = new Map<string, Found>();
  for (const one of found) {
    const known = first.get(one.path);
    const better = known?.reason !== undefined && one.reason === undefined;
    if (known === undefined || better) first.set(one.path, one);
  }
  return [...first.values()];
}

/** The paths that are not left out. */
export function accepted(found: readonly Found[]): readonly string[] {
  return found.filter(({ reason }) => reason === undefined).map(({ path }) => path);
}
