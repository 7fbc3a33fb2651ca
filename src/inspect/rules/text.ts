import { bytesOfByteString, type ByteString } from '../../model/bytes.ts';
import type { CompiledNeedle, NeedleSet } from '../../needles/compile.ts';
import type { Span } from './boundaries.ts';
import type { Classifier, Leak } from './classify.ts';

/** All leaks in a short byte string, such as a link target, in ascending order. Most have none and cost a few searches. */
export function leaksInText(text: ByteString, set: NeedleSet, classifier: Classifier): readonly Leak[] {
  const hits: { needle: number; address: number }[] = [];
  for (let needle = 0; needle < set.needles.length; needle++) {
    const wanted = (set.needles[needle] as CompiledNeedle).text;
    for (let at = text.indexOf(wanted); at >= 0; at = text.indexOf(wanted, at + 1)) {
      hits.push({ needle, address: at });
    }
  }
  if (hits.length === 0) return [];
  hits.sort((a, b) => a.address - b.address || a.needle - b.needle);
  const memory = bytesOfByteString(text);
  const span: Span = { memory, lo: 0, hi: memory.length };
  const leaks: Leak[] = [];
  classifier.begin();
  for (const { needle, address } of hits) {
    const compiled = set.needles[needle];
    const leak = compiled === undefined ? null : classifier.classify(span, 0, compiled, address);
    if (leak !== null && !leaks.some((other) => other.start === leak.start && other.rule === leak.rule))
      leaks.push(leak);
  }
  return leaks;
}
