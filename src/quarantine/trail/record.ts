import * as z from 'zod/mini';
import { GAP_REASONS, RULES } from '../../model/facts.ts';
import { once } from '../../model/once.ts';

/** Characters of texts that people give, and of paths. */
export const TEXT_MOST = 4096;
/** Homes that one record names. */
export const HOMES_MOST = 64;

const HEX = /^[0-9a-f]{64}$/;
const NAR_HASH = /^sha256:[0-9a-z]{52}$/;
const HASH_PART = /^[0-9a-z]{32}$/;

/** The records of the audit trail. What is not named here breaks the trail: it is not understood. */
function makeSchema() {
  const text = z.string().check(z.maxLength(TEXT_MOST));
  const said = text.check(z.minLength(1));
  const sequence = z.int().check(z.minimum(1));
  const narHash = z.string().check(z.regex(NAR_HASH));
  const bytes = z.int().check(z.minimum(0));
  /** Ids of quarantined outputs, findings and gaps: 16 hexadecimal digits. */
  const id = z.string().check(z.regex(/^[0-9a-f]{16}$/));
  const instant = z.iso.datetime({ precision: 3 });

  /** What every record has: which it is, when, whose, and the record before it. */
  const common = { seq: sequence, at: instant, actor: said };
  const chained = { prev: z.string().check(z.regex(HEX)) };
  const output = { storePath: said, narHash: z.nullable(narHash) };

  function record<Name extends string, Shape extends z.core.$ZodLooseShape>(event: Name, shape: Shape) {
    return z.strictObject({ ...common, event: z.literal(event), ...shape, ...chained });
  }

  return z.discriminatedUnion('event', [
    /** An output was refused; what was found in it is kept, and the output itself, or it is said why not. */
    record('quarantined', {
      id,
      ...output,
      verdict: z.enum(['contaminated', 'incomplete']),
      rules: z.array(z.enum(RULES)),
      gaps: z.array(z.enum(GAP_REASONS)),
      homes: z.array(text).check(z.maxLength(HOMES_MOST)),
      /** Ids of what blocks it. */
      blocking: z.array(id),
      /** Bytes of the kept NAR on disk. */
      kept: z.nullable(bytes),
      notKept: z.nullable(text),
    }),
    /** An output was not passed on, for itself or for something in its closure. */
    record('withheld', { ...output, because: said }),
    /** As withheld, and the build that made it failed. */
    record('rejected', { ...output, because: said }),
    record('released', {
      id: z.nullable(id),
      storePath: said,
      narHash,
      covers: z.array(id),
      reason: said,
      expires: z.nullable(instant),
    }),
    record('denied', {
      id: z.nullable(id),
      storePath: z.nullable(said),
      hashPart: z.nullable(z.string().check(z.regex(HASH_PART))),
      narHash: z.nullable(narHash),
      reason: said,
    }),
    /** A release or a denial counts no more. */
    record('lifted', { decision: sequence, reason: said }),
    /** A kept NAR was taken away. */
    record('purged', { id, storePath: said, bytes, because: said }),
    record('exported', { id, storePath: said, to: said }),
    /** A home of others, found in this output, is no reason to hold anything back any more. */
    record('settled', { id, home: said, reason: said }),
  ]);
}

/** A schema takes a while to make, and most runs read no record. */
export const recordSchema = once(makeSchema);

export type AuditRecord = z.infer<ReturnType<typeof recordSchema>>;

export type QuarantinedRecord = Extract<AuditRecord, { event: 'quarantined' }>;

type Without<T, Keys extends PropertyKey> = T extends unknown ? Omit<T, Keys> : never;

/** What happened, before it has its place in the trail. */
export type AuditEvent = Without<AuditRecord, 'seq' | 'at' | 'actor' | 'prev'>;
