import type { Growth } from './intake/growth.ts';
import type { Codec } from '../formats/compression/codec.ts';
import type { Inspected, InspectionContext } from './contracts.ts';
import type { OutputFacts } from '../model/facts.ts';
import type { NeedleContext } from '../needles/compile.ts';

/** A NAR that was unpacked and packed again, whatever is in it. */
export interface Repacked {
  /** How it was packed before. */
  readonly compression: Codec;
  readonly narHash: string;
  readonly narSize: number;
  /** Bytes of the new file. */
  readonly fileSize: number;
}

/** Searches what lies in spools. */
export interface Inspector {
  /**
   * A NAR, packed or not. Never rejects for what the bytes are: that is a gap of the facts.
   * @param name of the object: its ending tells brotli
   * @param growth while it is being written; null: it lies there as a whole
   * @param size bytes it will have, if known: small ones do not wait behind large ones
   * @throws NarScanError SCAN_FAILED where it could not be inspected for a fault of this machine; INTERRUPTED at the end;
   *   UPLOAD_TRUNCATED where the growth fails: why is told by who receives the upload
   */
  nar(
    file: string,
    name: string,
    context: InspectionContext,
    growth: Growth | null,
    size: number | null,
    options?: { readonly listing?: boolean },
  ): Promise<Inspected & { readonly listing: string | null }>;
  /** A file that is no NAR: a log, a narinfo. */
  file(file: string, name: string, context: InspectionContext): Promise<OutputFacts>;
  /** What comes from a check: a NAR or an export stream, each of its outputs. @param homes of the builders */
  stream(
    file: string,
    homes: readonly string[],
    growth: Growth | null,
  ): Promise<readonly (OutputFacts & { readonly narSize: number })[]>;
  /** Unpacks a NAR and packs it with zstd, for the quarantine, to a new file of at most so many bytes. */
  repack(file: string, name: string, target: string, most: number): Promise<Repacked>;
  /** Fingerprint of all that facts under these homes depend on. */
  rules(homes: readonly string[]): Promise<string>;
  /**
   * What is known beforehand under these homes, those of the configuration and of this machine included: an alias among
   * it is a leak whatever the references are.
   */
  known(homes: readonly string[]): Promise<Pick<NeedleContext, 'homes' | 'aliases'>>;
  /** Scans that run, and that wait. */
  readonly load: { readonly running: number; readonly waiting: number };
  close(): Promise<void>;
}
