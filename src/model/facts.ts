import type { ByteString } from './bytes.ts';

/** The built-in rules, in their order of precedence: the first that applies names the finding. */
export const RULES = [
  'known-home',
  'store-alias',
  'root-home',
  'placeholder-home',
  'foreign-home',
  'build-dir',
] as const;
export type Rule = (typeof RULES)[number];

export const SEVERITIES = ['error', 'warning', 'note'] as const;
export type Severity = (typeof SEVERITIES)[number];

/**
 * Where a leak sits: bytes of no known meaning, a link, a name, a field of a format (up to `pdb`), or
 * the text of a file whose kind is known. How much each means: inspect/rules/severity.ts.
 */
export const CARRIERS = [
  'bytes',
  'symlink',
  'entry-name',
  'rpath',
  'runpath',
  'interp',
  'needed',
  'soname',
  'audit',
  'filter',
  'config',
  'macho-rpath',
  'macho-dylib',
  'macho-dylinker',
  'shebang',
  'pdb',
  'pkg-config',
  'libtool',
  'cmake',
  'config-script',
  'python-code',
  'python-config',
  'ruby-config',
  'packlist',
  'source-map',
  'java-class',
  'rust-metadata',
  'gcov-notes',
] as const;
export type Carrier = (typeof CARRIERS)[number];

/** Bytes of no known meaning, and text of a file of a known kind that nothing looks up as a path, or not every time. */
export const TEXT_CARRIERS: readonly Carrier[] = [
  'bytes',
  'pdb',
  'config-script',
  'python-code',
  'python-config',
  'ruby-config',
  'packlist',
  'source-map',
  'java-class',
  'rust-metadata',
  'gcov-notes',
];

/** What is looked up as a path. */
export const STRUCTURAL_CARRIERS: readonly Carrier[] = CARRIERS.filter(
  (carrier) => carrier !== 'entry-name' && !TEXT_CARRIERS.includes(carrier),
);

/** Where a loader looks for libraries, and the loader itself. */
export const LOADER_CARRIERS: readonly Carrier[] = [
  'rpath',
  'runpath',
  'interp',
  'macho-rpath',
  'macho-dylinker',
];

/** How a leak is written. */
export const ENCODINGS = [
  'plain',
  'utf16le',
  'utf16be',
  'utf32le',
  'utf32be',
  'json-slash',
  'percent',
  'unicode-escape',
  'hex-escape',
  'html-entity',
  'double-backslash',
  'base64',
  'base64url',
  'hex',
] as const;
export type Encoding = (typeof ENCODINGS)[number];

/** Where in an output something is. */
export interface Location {
  /** Path in the output, without a leading slash; '' is the root itself. */
  readonly entry: ByteString;
  /** Member names from outside in; empty for bytes of the entry itself. */
  readonly container: readonly ByteString[];
  /** Byte offset in the innermost decoded bytes, or in a link target or entry name; null where none applies. */
  readonly offset: number | null;
  /** Byte offset in the entry as it lies on disk; null where none applies. */
  readonly outerOffset: number | null;
  /** Section of a binary, such as `.debug_str`. */
  readonly section?: string;
  /** Field of a format, such as `DT_RUNPATH`. */
  readonly field?: string;
  /** BLAKE3 of the entry's content as lower-case hexadecimal text, where the run asked for it. */
  readonly digest?: string;
}

/** One leak. */
export interface Finding {
  readonly rule: Rule;
  readonly severity: Severity;
  readonly carrier: Carrier;
  readonly encoding: Encoding;
  /** The home that leaked, as a plain absolute path; null for a store alias outside any home. */
  readonly home: ByteString | null;
  /** The physical store path prefix that leaked, such as `/home/u/nix/store`; else null. */
  readonly alias: ByteString | null;
  /** The hash part behind the alias, if the leak leads to a store path. */
  readonly hashPart: ByteString | null;
  readonly location: Location;
  /** Bytes around the leak, raw. Reports escape them. */
  readonly evidence: ByteString;
  /** Where the leak stands in `evidence`: [start, end) in bytes. */
  readonly marked: readonly [number, number];
  /** How many further findings of the same kind in the same entry are counted but not listed. */
  readonly more: number;
}

export const GAP_REASONS = [
  'truncated',
  'corrupt',
  'encrypted',
  'unsupported',
  'unreadable',
  'special-file',
  'malformed-nar',
  'limit-depth',
  'limit-size',
  'limit-ratio',
  'limit-entries',
  'limit-memory',
  'limit-time',
  'internal',
] as const;
export type GapReason = (typeof GAP_REASONS)[number];

/** Something that was not inspected. */
export interface Gap {
  readonly reason: GapReason;
  readonly location: Location;
  /** One line: what, and if there is one the error code. */
  readonly detail: string;
}

/** What was counted while an output was scanned. `files` and `bytes` equal what `find -type f` counts. */
export interface Stats {
  entries: number;
  files: number;
  bytes: number;
  expandedBytes: number;
  milliseconds: number;
}

/** Facts about one output: what scanning found, before any policy. */
export interface OutputFacts {
  /** The argument as given. */
  readonly target: string;
  /** The logical store path, or null where the target lies in no store. */
  readonly storePath: string | null;
  /** `sha256:<nix32>` as Nix prints it, or null where nothing was hashed. */
  readonly narHash: string | null;
  readonly findings: readonly Finding[];
  readonly gaps: readonly Gap[];
  readonly stats: Stats;
}

/** A finding of an output whose origin was looked for. */
export interface TracedFinding extends Finding {
  /** The store path of the source in which the same text stands already, if one is known. */
  readonly source?: string;
}

/**
 * Facts, and where they come from. That depends on what else lies in the store today, so it is no
 * fact that is remembered.
 */
export interface TracedFacts extends OutputFacts {
  readonly findings: readonly TracedFinding[];
}

export const VERDICTS = ['clean', 'contaminated', 'incomplete'] as const;
export type Verdict = (typeof VERDICTS)[number];
