import type { Matcher } from '../kernel/matcher.ts';
import { LIMITS } from '../model/limits.ts';
import type { CompiledNeedle, NeedleSet } from '../needles/compile.ts';
import type { LeakCollector } from './leakCollector.ts';
import type { Span } from './rules/boundaries.ts';
import type { Classifier } from './rules/classify.ts';

/**
 * Searches one content as it passes through the matcher's memory. The rules look at the bytes
 * around a hit, so a hit near the end of what is at hand waits until more is there: `keepFrom`
 * says which bytes must stay when the memory is moved on.
 */
export class ByteSearch {
  readonly #matcher: Matcher;
  readonly #set: NeedleSet;
  readonly #classifier: Classifier;
  readonly #leaks: LeakCollector;
  readonly #span: Span;
  /** Where the content's offset 0 lies or would lie. */
  #origin = 0;
  /** Every start address before this one has been searched. */
  #searched = 0;
  #end = 0;
  #tailMagic = -1;
  #hasHits = false;

  constructor(matcher: Matcher, set: NeedleSet, classifier: Classifier, leaks: LeakCollector) {
    this.#matcher = matcher;
    this.#set = set;
    this.#classifier = classifier;
    this.#leaks = leaks;
    this.#span = { memory: matcher.memory, lo: 0, hi: 0 };
  }

  /** A new content starts at `address`, with its byte `offset`. */
  begin(address: number, offset: number): void {
    this.#origin = address - offset;
    this.#searched = address;
    this.#end = address;
    this.#span.lo = address;
    this.#tailMagic = -1;
    this.#hasHits = false;
    this.#classifier.begin();
    this.#leaks.begin();
  }

  /** The content now reaches up to `end`; `final`: and no further. */
  extend(end: number, final: boolean): void {
    this.#end = end;
    this.#span.hi = end;
    const to = final ? end : end - LIMITS.contextBytes;
    if (to <= this.#searched) return;
    const from = this.#searched;
    this.#searched = to;
    this.#matcher.search(from, to, end, this.#onHit);
  }

  /** Offset of the last magic that means something near a content's end, or -1. */
  get tailMagic(): number {
    return this.#tailMagic;
  }

  /** Whether any needle was found, leak or not. */
  get hasHits(): boolean {
    return this.#hasHits;
  }

  /** The lowest address whose byte is still needed. */
  get keepFrom(): number {
    return Math.max(this.#span.lo, this.#searched - 2 * LIMITS.contextBytes);
  }

  /** The bytes from `keepFrom` on were moved down by `distance` addresses. */
  moved(distance: number): void {
    this.#span.lo = this.keepFrom - distance;
    this.#origin -= distance;
    this.#searched -= distance;
    this.#end -= distance;
    this.#span.hi = this.#end;
  }

  /** Where the content ends so far. */
  get end(): number {
    return this.#end;
  }

  readonly #onHit = (needle: number, address: number): void => {
    const compiled = this.#set.needles[needle] as CompiledNeedle;
    if (compiled.meaning.kind === 'tail-magic') {
      this.#tailMagic = address - this.#origin;
      return;
    }
    this.#hasHits = true;
    const leak = this.#classifier.classify(this.#span, this.#origin, compiled, address);
    if (leak !== null) this.#leaks.add(leak, this.#span, this.#origin);
  };
}
