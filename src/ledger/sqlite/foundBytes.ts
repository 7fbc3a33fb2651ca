import * as z from 'zod/mini';
import {
  CARRIERS,
  ENCODINGS,
  GAP_REASONS,
  RULES,
  SEVERITIES,
  type Finding,
  type Gap,
  type Location,
  type OutputFacts,
  type Stats,
} from '../../model/facts.ts';
import { LIMITS } from '../../model/limits.ts';
import { once } from '../../model/once.ts';

/** What is kept of the facts of one output besides their key. */
export type Found = Omit<OutputFacts, 'target' | 'narHash'>;

/** A parser for every field of a record, those that may be absent among them. */
type FieldsOf<T> = { [K in keyof T]-?: z.ZodMiniType };

/** A schema takes a while to make. */
const foundSchema = once(() => {
  const text = z.string();
  const textOrNull = z.nullable(text);
  const count = z.number().check(z.nonnegative());
  const offset = z.nullable(z.number());

  const location = z.strictObject({
    entry: text,
    container: z.array(text),
    offset,
    outerOffset: offset,
    section: z.optional(text),
    field: z.optional(text),
    digest: z.optional(text),
  } satisfies FieldsOf<Location>);

  const finding = z.strictObject({
    rule: z.enum(RULES),
    severity: z.enum(SEVERITIES),
    carrier: z.enum(CARRIERS),
    encoding: z.enum(ENCODINGS),
    home: textOrNull,
    alias: textOrNull,
    hashPart: textOrNull,
    location,
    evidence: text,
    marked: z.tuple([count, count]),
    more: count,
  } satisfies FieldsOf<Finding>);

  const gap = z.strictObject({ reason: z.enum(GAP_REASONS), location, detail: text } satisfies FieldsOf<Gap>);

  const stats = z.strictObject({
    entries: count,
    files: count,
    bytes: count,
    expandedBytes: count,
    milliseconds: count,
  } satisfies FieldsOf<Stats>);

  return z.strictObject({
    storePath: textOrNull,
    findings: z.array(finding),
    gaps: z.array(gap),
    stats,
  } satisfies FieldsOf<Found>);
});

/** Shorter texts are not packed: unpacking takes longer than all else that is done to them. */
const PACKED_FROM = 1024;
const OPENING_BRACE = 0x7b;

/** Loaded when it is needed: most outputs have next to no facts. */
const zlib = once(() => process.getBuiltinModule('node:zlib'));

/** JSON, packed by zstd where it is long; null where it is longer than anybody should keep. */
export function bytesOfFound({ storePath, findings, gaps, stats }: Found): Buffer | null {
  const json = Buffer.from(JSON.stringify({ storePath, findings, gaps, stats }));
  if (json.length > LIMITS.ledgerFactsBytes) return null;
  return json.length < PACKED_FROM ? json : zlib().zstdCompressSync(json);
}

/** The same back; null where it is anything but what {@link bytesOfFound} gives. */
export function foundOfBytes(bytes: Uint8Array): Found | null {
  try {
    const plain = bytes[0] === OPENING_BRACE;
    const json = plain
      ? bytes
      : zlib().zstdDecompressSync(bytes, { maxOutputLength: LIMITS.ledgerFactsBytes });
    const result = foundSchema().safeParse(JSON.parse(Buffer.from(json).toString()));
    return result.success ? (result.data as Found) : null;
  } catch {
    return null;
  }
}
