import type { Denial, Release } from '../decision.ts';

/** A row of the index of a trail, as SQLite gives it. */
export type Row = Readonly<Record<string, unknown>>;

/** Where the last record of a quarantined output stands in the trail. */
export interface OutputRow {
  readonly id: string;
  readonly seq: number;
  /** Offset of its line in the trail. */
  readonly offset: number;
  /** Bytes of the kept NAR; null where none is kept (any more). */
  readonly kept: number | null;
}

export function denialOfRow(row: Row): Denial {
  return {
    ...decided(row),
    storePath: textOrNull(row['store_path']),
    hashPart: textOrNull(row['hash_part']),
    narHash: textOrNull(row['nar_hash']),
  };
}

export function releaseOfRow(row: Row): Release {
  return {
    ...decided(row),
    storePath: String(row['store_path']),
    narHash: String(row['nar_hash']),
    covers: JSON.parse(String(row['covers'])) as string[],
    expires: row['expires'] === null ? null : Number(row['expires']),
  };
}

export function outputOfRow(row: Row): OutputRow {
  const kept = row['kept'] === null ? null : Number(row['kept']);
  return { id: String(row['id']), seq: Number(row['seq']), offset: Number(row['offset']), kept };
}

function decided(row: Row): Pick<Denial, 'sequence' | 'reason' | 'actor' | 'at'> {
  const { seq, reason, actor, at } = row;
  return { sequence: Number(seq), reason: String(reason), actor: String(actor), at: Number(at) };
}

function textOrNull(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}
