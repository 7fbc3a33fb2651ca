import type { Matcher } from '../kernel/matcher.ts';
import { compileNeedles, type NeedleContext, type NeedleSet } from '../needles/compile.ts';
import { ContentInspector, type InspectOptions } from '../inspect/contentInspector.ts';
import { EntryNames } from '../inspect/entryName.ts';
import { Classifier } from '../inspect/rules/classify.ts';

/** Everything that inspects the entries of one output: its needles, loaded into the kernel. */
export interface Inspection {
  readonly set: NeedleSet;
  readonly classifier: Classifier;
  readonly contents: ContentInspector;
  readonly names: EntryNames;
}

/**
 * Prepares the inspection of outputs under one needle context.
 * @throws NarScanError when the kernel refuses the needles
 */
export function prepareInspection(
  matcher: Matcher,
  context: NeedleContext,
  options: InspectOptions,
): Inspection {
  const set = compileNeedles(context);
  matcher.load(set.needles.map(({ bytes }) => bytes));
  const classifier = new Classifier(set, { known: set.hashParts, complete: false });
  return {
    set,
    classifier,
    contents: new ContentInspector(matcher, set, classifier, options),
    names: new EntryNames(set, classifier),
  };
}
