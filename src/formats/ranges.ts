import type { ByteString } from '../model/bytes.ts';
import type { Carrier } from '../model/facts.ts';

/** Random access to one binary, of which a stream may have kept only a part. */
export interface RangeReader {
  /** File size in bytes, exact. */
  readonly size: number;
  /**
   * The bytes [offset, offset + length) as a view that is valid until the next call, or null where
   * they are not to be had (not kept from a stream, or a read fault). Never asked outside the file.
   */
  read(offset: number, length: number): Uint8Array | null;
}

/** A range of a file, in bytes. */
export interface Range {
  readonly offset: number;
  readonly length: number;
}

/** A string of a binary that has a meaning as a path or library name. */
export interface Field {
  readonly carrier: Carrier;
  /** As the format's own tools name it: `DT_RUNPATH`, `PT_INTERP`, `LC_RPATH`. */
  readonly name: string;
  /** File offset of the string's first byte. */
  readonly offset: number;
  /** Bytes of the string; null: it ends at the first NUL. */
  readonly length: number | null;
}

/**
 * How the bytes of a section are packed. `zlib`, `zstd`: by the section's flags; `zdebug`: by its
 * name, in the GNU form from before the flag; `lto`: GCC's intermediate code, most of it in zlib or
 * zstd; `bitcode`: LLVM's, in pieces of single bits; `xz`: an ELF file of symbols; `mpdb`: .NET's
 * debug information; `rustc`: metadata that old compilers compressed; `unknown`: compressed, but in no way that is known here.
 */
export type Packing = 'zlib' | 'zstd' | 'zdebug' | 'lto' | 'bitcode' | 'xz' | 'mpdb' | 'rustc' | 'unknown';

/** A section that has bytes in the file. */
export interface Section {
  /** Cut to 255 bytes; Mach-O: `segment,section`. */
  readonly name: ByteString;
  readonly offset: number;
  readonly size: number;
  readonly compressed: Packing | null;
}

/** Why a binary's tables were not understood in full. */
export interface Fault {
  /** `unavailable`: the bytes exist, but this reader could not have them. */
  readonly kind: 'corrupt' | 'unavailable';
  /** File offset that was wanted or is wrong. */
  readonly offset: number;
  readonly detail: string;
}

/** What the tables of a binary say. The bytes themselves are searched by others. */
export interface BinaryFacts {
  readonly format: 'elf' | 'macho' | 'pe';
  readonly fields: readonly Field[];
  readonly sections: readonly Section[];
  readonly faults: readonly Fault[];
}
