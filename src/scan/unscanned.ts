import { gapAt } from '../inspect/local.ts';
import type { NarScanError } from '../model/errors.ts';
import type { Gap, OutputFacts } from '../model/facts.ts';

/** In what was not scanned to its end. */
export const UNREACHED = gapAt('', {
  reason: 'limit-time',
  offset: null,
  detail: 'the scan was ended before everything was inspected',
});

/** In what was searched file by file: it may be other than what is registered, or have been less at that time. */
export const UNPROVEN = gapAt('', {
  reason: 'unreadable',
  offset: null,
  detail: 'it could not be read as one NAR, which nests 64 directories at most: its NarHash is not known',
});

/** In what an error left unscanned, or made doubtful. */
export function faultGap({ code, message }: NarScanError): Gap {
  return gapAt('', { reason: 'internal', offset: null, detail: `${code}: ${message}` });
}

/** The same with gaps that the last of them got. */
export function withGaps(outputs: readonly OutputFacts[], gaps: readonly Gap[]): readonly OutputFacts[] {
  const last = outputs.at(-1);
  return last === undefined ? [] : [...outputs.slice(0, -1), { ...last, gaps: [...last.gaps, ...gaps] }];
}
