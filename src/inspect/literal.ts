import { bytesOfByteString, type ByteString } from '../model/bytes.ts';
import { type Finding, TEXT_CARRIERS } from '../model/facts.ts';
import { EVIDENCE_AFTER } from './leakCollector.ts';
import { pathRunEnd } from './rules/boundaries.ts';

const TEXT = new Set(TEXT_CARRIERS);
const BACKSLASH = '\\';

/**
 * By what a foreign home in an output is looked for in the sources that it was built from: the whole path
 * up to its end and, where something looks it up as a path, the field it stands in. Null for a finding that
 * may not be softened, whatever stands there: of another rule, one that stands for others that are not
 * listed, a home with nothing behind it, a path whose end is not in sight.
 */
export function soughtKey(finding: Finding): string | null {
  const { rule, severity, carrier, more } = finding;
  if (rule !== 'foreign-home' || severity === 'note' || more > 0) return null;
  const literal = literalOf(finding);
  if (literal === null) return null;
  return TEXT.has(carrier) ? textKey(literal) : fieldKey(finding, literal);
}

/** What a finding in a source answers to: anything that holds the same text, or the very same field. */
export function heldKeys(finding: Finding): readonly string[] {
  if (finding.rule !== 'foreign-home') return [];
  const literal = literalOf(finding);
  return literal === null ? [] : [textKey(literal), fieldKey(finding, literal)];
}

function textKey(literal: ByteString): string {
  return JSON.stringify([literal]);
}

function fieldKey({ carrier, location }: Finding, literal: ByteString): string {
  return JSON.stringify([literal, carrier, location.field ?? null]);
}

/** The path that leaked, up to its end; a link's target as a whole. */
function literalOf({ carrier, evidence, marked: [start, end] }: Finding): ByteString | null {
  const last = carrier === 'symlink' ? evidence.length : pathEnd(evidence, start, end);
  // longer text was cut here
  if (last - end >= EVIDENCE_AFTER && carrier !== 'symlink') return null;
  // a home alone is told by any list of users
  if (!/[^/\\]/.test(evidence.slice(end, last))) return null;
  return evidence.slice(start, last);
}

function pathEnd(evidence: ByteString, start: number, end: number): number {
  const span = { memory: bytesOfByteString(evidence), lo: 0, hi: evidence.length };
  let last = pathRunEnd(span, end, evidence.length);
  if (evidence.charAt(start + 1) !== ':') return last;
  while (evidence.charAt(last) === BACKSLASH) last = pathRunEnd(span, last + 1, evidence.length);
  return last;
}
