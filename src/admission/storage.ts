import type { Readable } from 'node:stream';

/** Bytes from `start` up to and without `end`. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** Where published objects lie. Names are relative, checked by whoever asks: `nar/…`, `<hash part>.narinfo`. */
export interface Storage {
  /** For people and logs, without secrets. */
  readonly shown: string;
  /**
   * Puts an object in place as a whole: nobody sees half of it, and it outlives a crash when this resolves.
   * @throws NarScanError STORAGE_FAILED, STORAGE_FULL
   */
  put(name: string, content: StoredContent, type: string): Promise<void>;
  /**
   * @returns null where there is none
   * @throws NarScanError STORAGE_FAILED
   */
  get(name: string, range?: ByteRange): Promise<StoredObject | null>;
  /** Bytes of an object; null where there is none. */
  size(name: string): Promise<number | null>;
  /** Whether it can be reached and written to. @throws NarScanError STORAGE_FAILED */
  check(): Promise<void>;
}

/** A file on this machine, which is left there and may be linked to, or bytes. */
export type StoredContent = { readonly file: string; readonly size: number } | { readonly bytes: Uint8Array };

export interface StoredObject {
  readonly stream: Readable;
  /** Of the whole object. */
  readonly size: number;
}
