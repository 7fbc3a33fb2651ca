import type { Finding } from '../model/facts.ts';
import { printableBytes } from './printable.ts';
import type { Marked } from './underline.ts';

/**
 * Where the leak stands in the evidence: [start, end) in bytes. What is found of an alias in a home is the home; what
 * is wrong is all of it.
 */
export function leakRange({
  evidence,
  marked: [start, end],
  alias,
}: Finding): readonly [start: number, end: number] {
  if (alias === null || !evidence.startsWith(alias, start)) return [start, end];
  return [start, Math.max(end, start + alias.length)];
}

/** The leak in what stands around it, printable. */
export function markedEvidence(finding: Finding): Marked {
  const { evidence } = finding;
  const [start, end] = leakRange(finding);
  return {
    before: printableBytes(evidence.slice(0, start)),
    leak: printableBytes(evidence.slice(start, end)),
    after: printableBytes(evidence.slice(end)),
  };
}
