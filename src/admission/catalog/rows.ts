import type { SQLOutputValue } from 'node:sqlite';
import { CODECS } from '../../formats/compression/codec.ts';
import type { PublishedPath, ReceivedNar } from '../contracts.ts';
import type { AdmissionHour, Approval, RefusedNar } from '../catalog.ts';

/** What a query gives. */
export type Row = Readonly<Record<string, SQLOutputValue>>;

const STANDINGS = ['clean', 'released', 'contaminated', 'held', 'incomplete', 'denied'] as const;
const REFUSALS = [403, 422] as const;
const FLAGS = [0, 1] as const;

export function receivedOf(row: Row): ReceivedNar {
  return {
    name: text(row, 'name'),
    fileHash: text(row, 'file_hash'),
    fileSize: count(row, 'file_size'),
    narHash: text(row, 'nar_hash'),
    narSize: count(row, 'nar_size'),
    compression: oneOf(CODECS, row, 'compression'),
    file: text(row, 'file'),
    by: text(row, 'by'),
    at: count(row, 'at'),
  };
}

export function refusedOf(row: Row): RefusedNar {
  return {
    fileHash: text(row, 'file_hash'),
    narHash: row['nar_hash'] === null ? null : text(row, 'nar_hash'),
    id: row['kept'] === null ? null : text(row, 'kept'),
    status: oneOf(REFUSALS, row, 'status'),
    line: text(row, 'line'),
    judgedBy: text(row, 'judged_by'),
    at: count(row, 'at'),
  };
}

export function publishedOf(row: Row): PublishedPath {
  return {
    hashPart: text(row, 'hash_part'),
    storePath: text(row, 'store_path'),
    narInfo: text(row, 'nar_info'),
    narName: text(row, 'nar_name'),
    narHash: text(row, 'nar_hash'),
    narSize: count(row, 'nar_size'),
    fileHash: text(row, 'file_hash'),
    fileSize: count(row, 'file_size'),
    verdict: oneOf(STANDINGS, row, 'verdict'),
    isUninspected: oneOf(FLAGS, row, 'uninspected') === 1,
    rules: text(row, 'rules'),
    by: text(row, 'by'),
    at: count(row, 'at'),
  };
}

export function approvalOf(row: Row): Approval {
  return {
    home: text(row, 'home'),
    reason: text(row, 'reason'),
    actor: text(row, 'actor'),
    at: count(row, 'at'),
  };
}

export function hourOf(row: Row): AdmissionHour {
  return {
    from: count(row, 'start'),
    admitted: count(row, 'admitted'),
    refused: count(row, 'refused'),
    held: count(row, 'held'),
    incomplete: count(row, 'incomplete'),
    malformed: count(row, 'malformed'),
    bytes: count(row, 'bytes'),
  };
}

/** @throws Error where it is no text */
export function text(row: Row, name: string): string {
  const value = row[name];
  if (typeof value !== 'string') throw unexpected(name);
  return value;
}

/** @throws Error where it is no bytes */
export function bytes(row: Row, name: string): Buffer {
  const value = row[name];
  if (!(value instanceof Uint8Array)) throw unexpected(name);
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
}

function count(row: Row, name: string): number {
  const value = row[name];
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) throw unexpected(name);
  return value;
}

function oneOf<T>(values: readonly T[], row: Row, name: string): T {
  const found = values.find((value) => value === row[name]);
  if (found === undefined) throw unexpected(name);
  return found;
}

function unexpected(name: string): Error {
  return new Error(`a field '${name}' is not what was written`);
}
