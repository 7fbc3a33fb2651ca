import type { OutputFacts } from '../../src/model/facts.ts';
import type { OutputResult } from '../../src/model/report.ts';
import { verdictOfOutput } from '../../src/policy/verdict.ts';

/** Facts with the verdict of the built-in policy. */
export function judged(facts: OutputFacts): OutputResult {
  return { ...facts, verdict: verdictOfOutput(facts, { strict: false }) };
}
