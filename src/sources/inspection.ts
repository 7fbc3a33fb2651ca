import type { Matcher } from '../kernel/matcher.ts';
import { compileNeedles, type NeedleContext, type NeedleSet } from '../needles/compile.ts';
import type { ContainerInspector } from '../inspect/containers/containerInspector.ts';
import type { Spools } from '../inspect/containers/spool.ts';
import type { ContentDigest } from '../inspect/contentDigest.ts';
import { ContentInspector } from '../inspect/contentInspector.ts';
import { EntryNames } from '../inspect/entryName.ts';
import { PLACES } from '../inspect/places.generated.ts';
import { searchedBytes } from '../inspect/magics.ts';
import { Classifier } from '../inspect/rules/classify.ts';
import { Window } from '../inspect/window.ts';
import type { PackedLane } from './packedSearch.ts';
import { DiskSpools } from './spool.ts';

/** Everything that inspects the entries of one output: its needles, loaded into the kernel. */
export interface Inspection {
  readonly set: NeedleSet;
  readonly classifier: Classifier;
  readonly contents: ContentInspector;
  /** What opens containers; loaded when the first one is met. */
  readonly containers: () => Promise<ContainerInspector>;
  readonly names: EntryNames;
  /** Whether containers are opened. */
  readonly opens: boolean;
  readonly spools: Spools;
  /** What searches packed streams as they lie; prepared for the first one. */
  readonly packed: () => PackedLane;
}

export interface InspectionOptions {
  /** Containers inside containers that are opened; 0: none. The matcher has windows for as many. */
  readonly maxDepth: number;
  readonly spools?: Spools;
  /** Where facts are to be told with the digest of the content that they are about. */
  readonly digest?: ContentDigest | null;
  /** Little is to be inspected: what is prepared for long searches is prepared in haste. */
  readonly hasty?: boolean;
}

/**
 * Prepares the inspection of outputs under one needle context.
 * @throws NarScanError NEEDLES_TOO_MANY, or when the kernel refuses one of them
 */
export function prepareInspection(
  matcher: Matcher,
  context: NeedleContext,
  { maxDepth, spools = new DiskSpools(), digest = null, hasty = false }: InspectionOptions,
): Inspection {
  const set = compileNeedles(context);
  const opens = maxDepth > 0;
  matcher.load(searchedBytes(set, opens), PLACES, hasty);
  const classifier = new Classifier(set);
  let containers: Promise<ContainerInspector> | null = null;
  const load = async (): Promise<ContainerInspector> => {
    const { ContainerInspector } = await import('../inspect/containers/containerInspector.ts');
    return new ContainerInspector(matcher, set, spools);
  };
  let lane: PackedLane | null = null;
  // behind the windows of all containers
  const packed = (): PackedLane => ({
    window: new Window(matcher, maxDepth + 1),
    contents: new ContentInspector(matcher, set, new Classifier(set), { opens: false }),
  });
  return {
    set,
    classifier,
    contents: new ContentInspector(matcher, set, classifier, { opens, digest }),
    containers: () => (containers ??= load()),
    names: new EntryNames(set, classifier),
    opens,
    spools,
    packed: () => (lane ??= packed()),
  };
}
