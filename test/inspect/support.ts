import { createMatcher } from '../../src/kernel/create.ts';
import { ContentInspector } from '../../src/inspect/contentInspector.ts';
import type { ContentFacts, LocalFinding } from '../../src/inspect/local.ts';
import { searchedBytes } from '../../src/inspect/magics.ts';
import { Classifier } from '../../src/inspect/rules/classify.ts';
import { bytesOfByteString } from '../../src/model/bytes.ts';
import { compileNeedles, type NeedleContext, type NeedleSet } from '../../src/needles/compile.ts';
import type { RangeReader } from '../../src/formats/ranges.ts';

const ROOM = 16 * 1024 * 1024;
/** Room for what a content in pieces keeps of earlier ones. */
const KEEP = 16 * 1024;

/** What a scan knows; what is not named is nothing, and the store dir the usual one. */
export function context(known: Partial<NeedleContext> = {}): NeedleContext {
  return { homes: [], aliases: [], hashParts: [], storeDir: '/nix/store', ...known };
}

/** The needles of a context with a classifier of their own. */
export function rulesOf(known: Partial<NeedleContext> = {}): {
  readonly set: NeedleSet;
  readonly classifier: Classifier;
} {
  const set = compileNeedles(context(known));
  return { set, classifier: new Classifier(set) };
}

/** The inspection of contents on a kernel of its own. Latin-1 text stands for bytes. */
export class Contents {
  readonly inspector: ContentInspector;
  readonly #matcher = createMatcher({ size: ROOM });

  constructor(known: Partial<NeedleContext> = {}) {
    const { set, classifier } = rulesOf(known);
    this.#matcher.load(searchedBytes(set, false));
    this.inspector = new ContentInspector(this.#matcher, set, classifier, { opens: false });
  }

  whole(content: string | Uint8Array, name = 'file'): ContentFacts {
    const bytes = typeof content === 'string' ? bytesOfByteString(content) : content;
    const { memory, base } = this.#matcher;
    memory.set(bytes, base);
    return this.inspector.whole(name, base, base + bytes.length);
  }

  /**
   * The same content as it comes in pieces of the given sizes; the last one takes the rest.
   * @param reader of what has passed
   */
  pieces(
    content: string | Uint8Array,
    sizes: readonly number[],
    name = 'file',
    reader?: RangeReader,
  ): ContentFacts {
    const bytes = typeof content === 'string' ? bytesOfByteString(content) : content;
    const { memory, base } = this.#matcher;
    const start = base + KEEP;
    this.inspector.begin(start);
    let at = 0;
    for (const [index, size] of [...sizes, Infinity].entries()) {
      const part = bytes.subarray(at, at + size);
      memory.set(part, start);
      at += part.length;
      this.inspector.extend(start + part.length, at === bytes.length && index === sizes.length);
      const from = this.inspector.keepFrom;
      const to = start - (this.inspector.end - from);
      memory.copyWithin(to, from, this.inspector.end);
      this.inspector.moved(from - to);
    }
    return this.inspector.finish(name, bytes.subarray(0, 64 * 1024), reader ?? new BytesReader(bytes));
  }
}

class BytesReader implements RangeReader {
  readonly #bytes: Uint8Array;
  readonly size: number;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.size = bytes.length;
  }

  read(offset: number, length: number): Uint8Array | null {
    return offset + length > this.size ? null : this.#bytes.subarray(offset, offset + length);
  }
}

/** What a finding says, in one line: severity, rule, carrier, and what leaked. */
export function said({ severity, rule, carrier, home, alias }: LocalFinding): string {
  return [severity, rule, carrier, home ?? '-', alias ?? '-'].join(' ');
}
