import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import type { ByteRange, StoredObject } from '../storage.ts';
import { unexpectedStatus } from './fault.ts';

/**
 * The bytes of an object that an answer to a GET holds: the part that was asked for, also where the server sends the
 * whole, as it may.
 *
 * @param range what was asked for; nothing for the whole
 * @throws Error where the answer is none to that
 */
export function bytesOfRange(answer: IncomingMessage, range: ByteRange | undefined): StoredObject {
  if (answer.headers['content-encoding'] !== undefined)
    throw new Error('it sends an encoding nobody asked for');
  if (answer.statusCode === 200) {
    const size = wholeSize(answer);
    return { stream: range === undefined ? answer : Readable.from(partOf(answer, range)), size };
  }
  if (answer.statusCode !== 206 || range === undefined) throw unexpectedStatus(answer.statusCode);
  const [, start, end, size] =
    /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15})$/.exec(answer.headers['content-range'] ?? '') ?? [];
  if (Number(start) !== range.start || Number(end) !== Math.min(range.end, Number(size)) - 1)
    throw new Error('it sends another part than was asked for');
  return { stream: answer, size: Number(size) };
}

/** @throws Error where an answer does not tell how long the object is */
export function wholeSize(answer: IncomingMessage): number {
  const length = answer.headers['content-length'] ?? '';
  if (!/^\d{1,15}$/.test(length)) throw new Error('it does not tell how long it is');
  return Number(length);
}

async function* partOf(answer: IncomingMessage, { start, end }: ByteRange): AsyncGenerator<Buffer> {
  let at = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    const part = chunk.subarray(Math.max(0, start - at), Math.max(0, end - at));
    if (part.length > 0) yield part;
    at += chunk.length;
    if (at >= end) return;
  }
}
