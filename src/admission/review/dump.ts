import type { Finding } from '../../model/facts.ts';
import { bytesOfByteString } from '../../model/bytes.ts';
import { leakRange } from '../../report/evidence.ts';
import { Html, html } from './html.ts';
import type { ShownFinding } from './views.ts';

const ROW = 16;
/** As a value it would be written out. */
const LINE_FEED = new Html('\n');
/** How many bytes each byte of a leak takes in encodings in which that does not depend on which one it is. */
const WIDTHS: Readonly<Record<string, number>> = {
  plain: 1,
  utf16le: 2,
  utf16be: 2,
  utf32le: 4,
  utf32be: 4,
  hex: 2,
  base64: 4 / 3,
  base64url: 4 / 3,
};

/** Bytes around a leak in rows of hexadecimal and text: as they lie in the NAR, else what was decoded. */
export function dumpOf({ finding, surroundings }: Pick<ShownFinding, 'finding' | 'surroundings'>): Html {
  const [start, end] = leakRange(finding);
  if (surroundings !== null) {
    const from = (finding.location.offset ?? 0) - surroundings.offset;
    const length = Math.ceil((end - start) * (WIDTHS[finding.encoding] ?? 0));
    return rows(surroundings.bytes, surroundings.offset, from, from + length);
  }
  const base = Math.max(0, isPlain(finding) ? (finding.location.offset ?? 0) - start : 0);
  return rows(bytesOfByteString(finding.evidence), base, start, end);
}

/** What a dump of it shows. */
export function dumpTitle({ finding, surroundings }: Pick<ShownFinding, 'finding' | 'surroundings'>): string {
  if (surroundings !== null) return 'Bytes of the file';
  return isPlain(finding) ? 'Bytes around it' : `Bytes, decoded from ${finding.encoding}`;
}

function isPlain({ encoding, location }: Finding): boolean {
  return encoding === 'plain' && location.offset !== null;
}

/** @param base offset of the first byte @param from first byte that is marked @param to first one behind */
function rows(bytes: Buffer, base: number, from: number, to: number): Html {
  const lead = base % ROW;
  const lines: Html[] = [];
  for (let at = -lead; at < bytes.length; at += ROW) {
    const indexes = Array.from({ length: ROW }, (_, index) => at + index);
    const isMarked = (index: number): boolean => index >= from && index < to;
    const hex = runs(indexes, isMarked, (index, isLast) => {
      const byte = index < 0 ? undefined : bytes[index];
      return `${byte === undefined ? '  ' : byte.toString(16).padStart(2, '0')}${isLast ? '' : ' '}`;
    });
    const text = runs(indexes, isMarked, (index) => {
      const byte = index < 0 ? undefined : bytes[index];
      if (byte === undefined) return ' ';
      return byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '·';
    });
    const offset = html`<span class="at">${(base + at).toString(16).padStart(8, '0')}</span>`;
    lines.push(html`${[offset, '  ', hex, '  ', text, LINE_FEED]}`);
  }
  return html`${lines}`;
}

/** Characters one after another, those that are marked in one mark. */
function runs(
  indexes: readonly number[],
  isMarked: (index: number) => boolean,
  show: (index: number, isLast: boolean) => string,
): readonly Html[] {
  const found: Html[] = [];
  for (let at = 0; at < indexes.length;) {
    const marked = isMarked(indexes[at] ?? 0);
    let text = '';
    for (; at < indexes.length && isMarked(indexes[at] ?? 0) === marked; at++) {
      text += show(indexes[at] ?? 0, at === indexes.length - 1);
    }
    const trimmed = text.trimEnd();
    found.push(marked ? html`<mark>${trimmed}</mark>${text.slice(trimmed.length)}` : html`${text}`);
  }
  return found;
}
