import { byteStringOfText } from '../model/bytes.ts';
import type { NeedleContext } from '../needles/compile.ts';
import type { PartialFacts } from '../sources/factSink.ts';
import { softenKnownReferences } from '../sources/references.ts';
import type { Resolved } from './targets.ts';

/**
 * The facts of a target under what is known of its references.
 * @param aliases that were searched for besides those of the context
 */
export function weighed(
  facts: PartialFacts,
  { references }: Resolved,
  aliases: readonly string[],
  context: NeedleContext,
): PartialFacts {
  if (references === null) return facts;
  return softenKnownReferences(facts, references, {
    homes: context.homes.map(byteStringOfText),
    aliases: [...context.aliases, ...aliases].map(byteStringOfText),
  });
}
