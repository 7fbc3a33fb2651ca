import * as fc from 'fast-check';
import {
  CARRIERS,
  ENCODINGS,
  type Gap,
  GAP_REASONS,
  type Location,
  RULES,
  SEVERITIES,
  type TracedFinding,
} from '../../src/model/facts.ts';
import type { OutputResult } from '../../src/model/report.ts';
import { verdictOfOutput } from '../../src/policy/verdict.ts';

/** Pieces that have fooled terminals, and any other bytes. */
const hostileText = fc.constantFrom(
  '\x1b[2J\x1b[31m',
  '\x1b]0;owned\x07',
  '\x9b31m',
  '\u202e\u2066evil',
  '\u2069\u200b\u2028',
  '\u{e0041}',
  '\ud800',
  'a\r\nb\tc\0\x7f',
  'zażółć 日本 🙂',
);

/** Bytes as a {@link ByteString}: random, or the UTF-8 of hostile text, glued together. */
export const anyBytes: fc.Arbitrary<string> = fc
  .array(
    fc.oneof(
      fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
      hostileText.map((text) => Buffer.from(text, 'utf8').toString('latin1')),
      fc.constantFrom('/home/noamyr', 'bin/x', '/nix/store/'),
    ),
    { maxLength: 5 },
  )
  .map((parts) => parts.join(''));

export const anyText: fc.Arbitrary<string> = fc
  .array(fc.oneof(hostileText, fc.string({ unit: 'binary', maxLength: 20 })), { maxLength: 4 })
  .map((parts) => parts.join(''));

const anyOffset = fc.option(fc.nat(), { nil: null });

const anyLocation: fc.Arbitrary<Location> = fc.record(
  {
    entry: anyBytes,
    container: fc.array(anyBytes, { maxLength: 3 }),
    offset: anyOffset,
    outerOffset: anyOffset,
    section: anyText,
    field: anyText,
  },
  { requiredKeys: ['entry', 'container', 'offset', 'outerOffset'] },
);

export const anyFinding: fc.Arbitrary<TracedFinding> = fc
  .record({
    rule: fc.constantFrom(...RULES),
    severity: fc.constantFrom(...SEVERITIES),
    carrier: fc.constantFrom(...CARRIERS),
    encoding: fc.constantFrom(...ENCODINGS),
    home: fc.option(anyBytes, { nil: null }),
    alias: fc.option(anyBytes, { nil: null }),
    hashPart: fc.option(anyBytes, { nil: null }),
    location: anyLocation,
    evidence: anyBytes,
    start: fc.nat(100),
    length: fc.nat(100),
    more: fc.oneof(fc.constant(0), fc.nat(1000)),
    source: fc.option(anyText),
  })
  .map(({ start, length, source, ...finding }) => {
    const from = Math.min(start, finding.evidence.length);
    const marked = [from, Math.min(from + length, finding.evidence.length)] as const;
    return { ...finding, marked, ...(source === null ? {} : { source }) };
  });

export const anyGap: fc.Arbitrary<Gap> = fc.record({
  reason: fc.constantFrom(...GAP_REASONS),
  location: anyLocation,
  detail: anyText,
});

export const anyOutput: fc.Arbitrary<OutputResult> = fc
  .record({
    target: anyText,
    storePath: fc.option(anyText, { nil: null }),
    narHash: fc.constantFrom(null, `sha256:${'0'.repeat(52)}`),
    findings: fc.array(anyFinding, { maxLength: 8 }),
    gaps: fc.array(anyGap, { maxLength: 8 }),
    stats: fc.record({
      entries: fc.nat(),
      files: fc.nat(),
      bytes: fc.nat(),
      expandedBytes: fc.nat(),
      milliseconds: fc.double({ min: 0, max: 1e9, noNaN: true }),
    }),
  })
  .map((facts) => ({ ...facts, verdict: verdictOfOutput(facts, { strict: false }) }));
