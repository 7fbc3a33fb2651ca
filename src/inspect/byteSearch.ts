import type { Matcher } from '../kernel/matcher.ts';
import { LIMITS } from '../model/limits.ts';
import type { NeedleSet } from '../needles/compile.ts';
import { EncodedLeaks, type EncodedLeak } from './encoded/encodedLeaks.ts';
import type { LeakCollector } from './leakCollector.ts';
import { MagicHits } from './magics.ts';
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
  readonly #encoded: EncodedLeaks;
  readonly #leaks: LeakCollector;
  readonly #span: Span;
  /** Where the content's offset 0 lies or would lie. */
  #origin = 0;
  /** Every start address before this one has been searched. */
  #searched = 0;
  #end = 0;
  #hasHits = false;
  /** The magics that the content holds. */
  readonly magics = new MagicHits();

  constructor(matcher: Matcher, set: NeedleSet, classifier: Classifier, leaks: LeakCollector) {
    this.#matcher = matcher;
    this.#set = set;
    this.#classifier = classifier;
    this.#encoded = new EncodedLeaks(set, classifier);
    this.#leaks = leaks;
    this.#span = { memory: matcher.memory, lo: 0, hi: 0 };
  }

  /** A new content starts at `address`, with its byte `offset`. */
  begin(address: number, offset: number): void {
    this.#origin = address - offset;
    this.#searched = address;
    this.#end = address;
    this.#span.lo = address;
    this.magics.begin();
    this.#hasHits = false;
    this.#classifier.begin();
    this.#encoded.begin();
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

  addressOf(offset: number): number {
    return this.#origin + offset;
  }

  /** Where the content ends so far. */
  get end(): number {
    return this.#end;
  }

  readonly #onHit = (index: number, address: number): void => {
    const { needles, encoded } = this.#set;
    const needle = needles[index];
    if (needle !== undefined) {
      this.#hasHits = true;
      const leak = this.#classifier.classify(this.#span, this.#origin, needle, address);
      const isWorst = leak?.rule === 'known-home' || leak?.rule === 'store-alias';
      const encoded = isWorst ? null : this.#encoded.besides(this.#span, this.#origin, needle, address, leak);
      this.#addEncoded(encoded);
      if (leak === null || encoded !== null) return;
      this.#encoded.seen(leak.start - this.#origin);
      this.#leaks.add(leak, this.#span, this.#origin);
      return;
    }
    const escaped = encoded[index - needles.length];
    if (escaped === undefined) {
      this.magics.hit(index - needles.length - encoded.length, address, this.#span, this.#origin);
    } else this.#addEncoded(this.#encoded.at(this.#span, this.#origin, escaped, address));
  };

  #addEncoded(found: EncodedLeak | null): void {
    if (found === null) return;
    const { leak, decoded, offset, encoding } = found;
    this.#leaks.add(leak, decoded, 0, { offset, encoding });
  }
}
