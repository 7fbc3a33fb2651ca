import type { ByteStream } from '../../formats/container.ts';
import type { RangeReader } from '../../formats/ranges.ts';
import type { ByteString } from '../../model/bytes.ts';
import { NarScanError } from '../../model/errors.ts';
import type { ContentFacts } from '../local.ts';
import type { Budget } from './budget.ts';
import type { Covered } from './covered.ts';
import type { FactBag } from './facts.ts';

/** A content that is being opened. */
export interface Open {
  readonly name: ByteString;
  readonly reader: RangeReader;
  readonly depth: number;
  readonly budget: Budget;
  readonly bag: FactBag;
  readonly covered: Covered;
}

/** How a content was read to its end, or not. */
export interface Nested {
  readonly facts: ContentFacts;
  /** What ended it before its time, or null. */
  readonly failure: unknown;
  readonly bytes: number;
}

/** Where a container that was read ended: an offset in what was given, `whole`, or null after a fault. */
export type Ended = number | 'whole' | null;

/** Where a container begins in the content that holds it, and how it is called there. */
export interface Beginning {
  readonly from: number;
  /** Null: it is the content itself. */
  readonly label: ByteString | null;
  /** Only its first bytes say that it is one: a failure before there is proof is no gap. */
  readonly tentative: boolean;
}

/** Inspects what comes out of a container: a content one deeper. Never throws for what is read. */
export type InspectContent = (
  name: ByteString,
  stream: ByteStream,
  holder: Open,
  packing: {
    /** Whether its bytes stand in the holder as they are. */
    readonly stored: boolean;
    /** How many packed bytes have been used so far. */
    readonly packed: () => number;
  },
) => Promise<Nested>;

/** Whether a stream was whole, and something else follows it. */
export function isTrailing(failure: unknown): failure is NarScanError {
  return failure instanceof NarScanError && failure.code === 'COMPRESSION_TRAILING';
}
