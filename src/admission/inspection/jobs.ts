import type { ContainerLimits } from '../../inspect/containers/budget.ts';
import type { CompiledEngine } from '../../kernel/create.ts';
import type { ErrorCode } from '../../model/errors.ts';
import type { NeedleContext } from '../../needles/compile.ts';
import type { PartialFacts } from '../../sources/factSink.ts';
import type { StreamOutput } from '../../sources/narStream.ts';
import type { Codec } from '../../formats/compression/codec.ts';
import type { Repacked } from '../inspector.ts';

/* What the main thread and those that inspect say to each other: a job, and what came of it. */

/** What every thread is told when it starts. */
export interface InspectionData {
  readonly compiled: CompiledEngine;
  readonly limits: ContainerLimits;
  /** Whether facts are told with the BLAKE3 of the entry's content. */
  readonly digests: boolean;
  /** @see Pressure */
  readonly pressure: SharedArrayBuffer;
}

/** Something to inspect: a spool. */
export type Job = NarJob | FileJob | StreamJob | RepackJob;

export interface NarJob {
  readonly kind: 'nar';
  readonly file: string;
  /** Of the object. */
  readonly name: string;
  readonly context: NeedleContext;
  /** The store path, then what it refers to; empty: nobody has told yet. */
  readonly paths: readonly string[];
  readonly growth: SharedArrayBuffer | null;
  readonly listing: boolean;
}

export interface FileJob {
  readonly kind: 'file';
  readonly file: string;
  readonly name: string;
  readonly context: NeedleContext;
}

export interface StreamJob {
  readonly kind: 'stream';
  readonly file: string;
  readonly context: NeedleContext;
  readonly growth: SharedArrayBuffer | null;
}

/** @see Inspector.repack */
export interface RepackJob {
  readonly kind: 'repack';
  readonly file: string;
  readonly name: string;
  readonly target: string;
  readonly most: number;
}

/** What each kind of job gives. */
export interface JobResults {
  readonly nar: {
    readonly compression: Codec;
    readonly narHash: string | null;
    readonly narSize: number;
    readonly facts: PartialFacts;
    readonly listing: string | null;
  };
  readonly file: PartialFacts;
  readonly stream: readonly StreamOutput[];
  readonly repack: Repacked;
}

/** What came of a job. */
export type Outcome =
  | { readonly kind: 'done'; readonly result: JobResults[keyof JobResults] }
  /** It waited for its upload while others waited for the thread. */
  | { readonly kind: 'given-up' }
  /** `isFault`: of the program; the thread that has met it is not to be used again. */
  | {
      readonly kind: 'failed';
      readonly code: ErrorCode;
      readonly message: string;
      readonly isFault: boolean;
    };
