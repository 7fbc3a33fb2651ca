import type { ByteString } from '../model/bytes.ts';
import { LIMITS } from '../model/limits.ts';
import type { Field, RangeReader } from '../formats/ranges.ts';
import type { NeedleSet } from '../needles/compile.ts';
import { textAt } from './rules/boundaries.ts';
import type { Classifier, Leak } from './rules/classify.ts';
import { leaksInText } from './rules/text.ts';

/** A leak in the string of a field; its addresses count from the string's first byte. */
interface FieldLeak {
  readonly field: Field;
  readonly leak: Leak;
  readonly text: ByteString;
}

export interface FieldLeaks {
  readonly leaks: readonly FieldLeak[];
  /** Whether every string could be read to its end. */
  readonly complete: boolean;
}

/**
 * The leaks in the fields of a binary, each read as its loader reads it: from its own first byte. A
 * string may begin in the middle of another (linkers share endings), where the search over all
 * bytes sees no path begin.
 */
export function leaksInFields(
  fields: readonly Field[],
  reader: RangeReader,
  set: NeedleSet,
  classifier: Classifier,
): FieldLeaks {
  const leaks: FieldLeak[] = [];
  const seen = new Set<string>();
  let complete = true;
  let room: number = LIMITS.binaryFieldBytes;
  for (const field of fields) {
    const key = `${field.offset} ${field.name}`;
    if (seen.has(key)) continue;
    seen.add(key);
    const string = room > 0 ? stringOf(field, reader) : null;
    if (string === null || !string.whole) complete = false;
    if (string === null) continue;
    const { text } = string;
    room -= text.length;
    for (const leak of leaksInText(text, set, classifier)) leaks.push({ field, leak, text });
  }
  return { leaks, complete };
}

/** The bytes of a field, cut where no loader would read on; null where they are not to be had. */
function stringOf(field: Field, reader: RangeReader): { text: ByteString; whole: boolean } | null {
  const most = Math.min(field.length ?? Infinity, reader.size - field.offset);
  for (let length = Math.min(most, LIMITS.contextBytes); length > 0; length >>= 1) {
    const bytes = reader.read(field.offset, length);
    // of a stream, the bytes behind a string may be gone
    if (bytes === null) continue;
    const nul = field.length === null ? bytes.indexOf(0) : -1;
    const text = textAt({ memory: bytes, lo: 0, hi: length }, 0, nul < 0 ? length : nul);
    return { text, whole: nul >= 0 || length === most };
  }
  return most > 0 ? null : { text: '', whole: true };
}
