/**
 * Every error that a user can meet, in one table: what went wrong, and what to do about it.
 * `nar-scan explain CODE` tells it.
 */
export const ERRORS = {
  // usage (command line and environment)
  USAGE_UNKNOWN_OPTION: 'see nar-scan --help',
  USAGE_MISSING_VALUE: 'see nar-scan --help',
  USAGE_BAD_VALUE: 'see nar-scan --help',
  USAGE_BAD_HOME: "give a person's home directory as an absolute path, such as /home/alice",
  USAGE_BAD_ALIAS: 'name the directory that holds the store paths, such as /home/alice/nix/store',
  USAGE_UNKNOWN_TOPIC: 'nar-scan explain lists what can be explained',
  USAGE_NO_TARGET: 'name a store path, a directory, a file, a NAR, or - for stdin; see nar-scan --help',
  USAGE_NO_PATH: 'name store paths, or links to them such as ./result',
  // targets and sources
  TARGET_MISSING: 'check the path',
  TARGET_UNREADABLE: 'check the permissions, or scan as a user who may read it',
  REALPATH_FAILED: 'check the path, its links and their permissions',
  PATH_TAMPERED:
    'what lies there is not what Nix has registered: find out who changed it, then nix-store --repair-path',
  NEEDLES_TOO_MANY:
    'name fewer homes outside /home and /Users, and fewer aliases; --no-host-homes leaves out those of passwd',
  HOMES_UNREADABLE: 'make the passwd database readable, or use --no-host-homes and --home',
  NIX_DATABASE_VERSION:
    'use a nar-scan that knows this Nix, or name another state directory in NIX_STATE_DIR',
  NIX_DATABASE_LOCKED: 'scan again when Nix is done',
  NIX_DATABASE_UNREADABLE: 'make it readable, or name another state directory in NIX_STATE_DIR',
  TREE_NOT_SERIALISABLE:
    'Nix makes a NAR of files, directories and links that can be read; mend or remove the entry',
  DERIVATION_UNREADABLE: 'check the path and its permissions',
  DERIVATION_INVALID: 'give a .drv file, as nix-instantiate writes it or nix-store -q --deriver names it',
  // the policy
  POLICY_UNREADABLE: 'check the path and its permissions',
  POLICY_INVALID: 'nar-scan policy check FILE lists all that is wrong with it; README.md, "Policy"',
  POLICY_UNSAFE:
    'only you and root may own it or write to it (chown, chmod go-w); a file that --policy names may be anybody’s',
  POLICY_WAIVERS_UNUSED: 'take the waivers that the report names out of the policy, or renew them',
  BASELINE_NOT_WRITTEN: 'the policy file is as it was; mend the cause, then scan again',
  // what is remembered
  LEDGER_VERSION: 'use the newest nar-scan on this machine, or another NAR_SCAN_STATE; nothing is remembered',
  LEDGER_UNREADABLE: 'check its permissions and the disk; everything is scanned anew',
  LEDGER_DAMAGED: 'everything is scanned anew; what was set aside may be deleted',
  LEDGER_NOT_WRITTEN: 'check free space and permissions; what is not remembered is scanned anew next time',
  // NAR and export streams
  NAR_BAD_MAGIC: 'is this a NAR? nix-store --dump PATH writes one',
  NAR_TRUNCATED: 'the NAR is empty or ends early; fetch or write it again',
  NAR_TAG: 'the NAR is damaged or was made to mislead; write it again with nix-store --dump',
  NAR_PADDING: 'the NAR is damaged or was made to mislead; write it again with nix-store --dump',
  NAR_LENGTH: 'the NAR is damaged or was made to mislead; write it again with nix-store --dump',
  NAR_BAD_NAME: 'no Nix writes such an entry name; find out who made the NAR',
  NAR_UNSORTED: 'no Nix writes entries out of order; find out who made the NAR',
  NAR_DUPLICATE_NAME: 'no Nix writes an entry twice; find out who made the NAR',
  NAR_BAD_TARGET: 'no Nix writes such a symlink target; find out who made the NAR',
  NAR_DEPTH: 'Nix reads at most 64 levels; nest the directories of the output less deeply',
  NAR_TRAILING: 'a NAR ends with its root node; find out who added to it',
  EXPORT_BAD_MAGIC: 'is this an export stream? nix-store --export PATH writes one',
  EXPORT_TRUNCATED: 'the export stream ends early; write it again',
  EXPORT_PADDING: 'the export stream is damaged; write it again with nix-store --export',
  EXPORT_LENGTH: 'the export stream is damaged; write it again with nix-store --export',
  EXPORT_BAD_PATH: 'the export stream is damaged; write it again with nix-store --export',
  EXPORT_TRAILING: 'an export stream ends with a zero; find out who added to it',
  NARINFO_INVALID: 'no Nix writes such a narinfo; find out who made it',
  // nix copy
  NIX_MISSING: 'install Nix, or put its bin directory on PATH',
  NIX_FAILED:
    'check the URL, the rights there and the connection, then copy again: what has arrived is not sent twice',
  NIX_REFUSED:
    'the cache says why: mend the build, or have it released on that page; what has arrived is not sent twice',
  NETRC_UNREADABLE: 'make it readable, or name another file: -- --netrc-file FILE',
  NIX_UNSIGNED:
    'sign the paths (nix store sign), or pass on -- --no-check-sigs where the destination trusts you',
  PATH_NOT_IN_STORE: 'name a store path, or a link to one such as ./result',
  STAGING_FULL: 'make room where the state lies, or name another place in NAR_SCAN_STATE',
  // compressed streams
  COMPRESSION_TRUNCATED: 'the stream ends early; fetch or write it again',
  COMPRESSION_CORRUPT: 'the stream is damaged; fetch or write it again',
  COMPRESSION_TRAILING: 'bytes follow the end of the stream; write it again without them',
  COMPRESSION_MEMORY: 'compress it with a smaller dictionary or window',
  COMPRESSION_UNSUPPORTED: 'compress it with the standard tool of its format',
  // archives and other containers
  CONTAINER_TRUNCATED: 'the archive ends early; make it again',
  CONTAINER_CORRUPT: 'the archive is damaged or was made to mislead; make it again',
  CONTAINER_ENCRYPTED: 'leave encrypted archives out of the output, or cover the gap by a waiver',
  CONTAINER_UNSUPPORTED: 'pack it in a format that can be opened, or cover the gap by a waiver',
  CONTAINER_LIMIT: 'unpack the archive in the output, or raise the limit',
  CONTAINER_UNREADABLE: 'scan again; if it happens again check the disk',
  // what is kept on this machine
  STATE_UNKNOWN: 'set NAR_SCAN_STATE to an absolute path, or HOME',
  STATE_UNSAFE:
    'give it to whoever runs nar-scan, take the right to write from others (chmod go-w), or set NAR_SCAN_STATE',
  STATE_NOT_WRITTEN: 'check free space and permissions, or set NAR_SCAN_STATE to another directory',
  STATE_LOCKED: 'wait until it is done, then do this again',
  QUARANTINE_FULL: 'purge what nobody needs, or give it more room: [quarantine] size in the policy',
  QUARANTINE_NOT_KEPT: 'what was found in it is recorded; scan it again',
  QUARANTINE_NOT_RELEASABLE:
    'mend what stands in the way (quarantine lift NUMBER for a denial), then scan it again',
  QUARANTINE_DAMAGED: 'what was kept is lost; what was found in it is in the report (quarantine show)',
  QUARANTINE_UNKNOWN:
    'nar-scan quarantine list shows what is there; what a daemon or a server refused is in the state of who runs it',
  QUARANTINE_AMBIGUOUS: 'say which one by its id: nar-scan quarantine show ID shows each of them',
  QUARANTINE_NOT_EXPORTED: 'name a file that is not there yet, where you may write and there is room',
  DECISION_UNKNOWN:
    'nar-scan quarantine list shows what counts with the numbers of the records, audit list shows all',
  AUDIT_MISSING:
    'as it should be where nothing was ever refused; else find out who removed it, and restore it',
  AUDIT_BROKEN: 'nothing is let through: find out who changed it, and restore it from a backup',
  AUDIT_TRUNCATED: 'nothing is let through: find out who cut it, and restore it from a backup',
  STATE_UNREADABLE: 'check its permissions, or set NAR_SCAN_STATE to another directory',
  // the guard
  PATH_NOT_VALID: 'build or fetch it first; nix-store --check-validity tells what is valid',
  GUARD_BAD_ENVIRONMENT:
    'Nix runs the hook and sets DRV_PATH and OUT_PATHS; by hand ask nar-scan guard PATH; README.md, "The guard"',
  GUARD_NO_OUTPUTS:
    'nothing was inspected; Nix 2.8.0 names no output whose path its content decides: use a newer one',
  GUARD_NESTED_TOO_DEEP: 'let what guard.then starts build nothing that starts it again',
  GUARD_DEADLINE: 'build again, or raise guard.deadline in the policy file',
  GUARD_NEXT_FAILED: 'check guard.then in the policy file: an absolute path of a program and its arguments',
  PATH_HELD_BACK: 'release it again or renew the waiver, then copy again: what has arrived is not sent twice',
  PATH_DENIED: 'nar-scan quarantine lift RECORD --reason WHY takes a denial back',
  // the cache server
  UPLOAD_NAME:
    'send nar/<hash>.nar[.ext], <hash part>.narinfo and what else nix copy sends, by their own names',
  UPLOAD_LENGTH: 'send as many bytes as Content-Length says',
  UPLOAD_TRUNCATED: 'the connection broke off: copy again',
  UPLOAD_SLOW: 'copy again over a connection that keeps on sending',
  UPLOAD_HASH:
    'the NAR is not what its name says: copy again; if it stays so, verify the store (nix store verify)',
  UPLOAD_ENCODING: 'send it as it is, or with Content-Encoding gzip, br, zstd, xz or bzip2',
  UPLOAD_TOO_LARGE: 'the server takes no more at once: its operator may raise the limit',
  UPLOAD_NO_ROOM: 'the disk of the server is full: tell its operator, then copy again',
  UPLOAD_COMPRESSION:
    'copy with ?compression=zstd (or none, xz, bzip2, gzip, br, lz4, lzip, lzma, compress), which can be opened',
  NARINFO_UNBOUND: 'send the NAR that the narinfo speaks of first, and the paths it refers to',
  NARINFO_WRONG:
    'check the store it comes from (nix store verify) and copy again, or find out who made the narinfo',
  OBJECT_INVALID: 'no Nix sends such an object: find out who made it',
  CACHE_STORE_DIR: 'copy from a store with that store dir, or to a cache of your own one',
  PATH_PUBLISHED: 'what is published stays as it is; build under another name, or use what is there',
  STORAGE_FAILED:
    'the storage behind the server does not answer as it should: tell its operator, then copy again',
  STORAGE_FULL: 'the storage behind the server is full: tell its operator, then copy again',
  SCAN_FAILED: 'nothing was admitted: copy again; if it stays so, tell the operator of the server',
  LISTEN_FAILED: 'name an address of this machine and a free port: --listen HOST:PORT, or unix:/PATH',
  SERVER_RUNS: 'end the other one first, or give this one its own --state and --storage',
  STORAGE_UNUSABLE: 'give --storage a directory in which this user may write',
  CATALOG_VERSION: 'use the newest nar-scan on this machine, or another --state',
  CATALOG_UNREADABLE: 'nothing is served: check its permissions and the disk, or restore it from a backup',
  KEY_UNREADABLE: 'check the path; only who runs the server may read it (chmod 600)',
  KEY_INVALID: 'nix-store --generate-binary-cache-key NAME SECRET-FILE PUBLIC-FILE makes a pair',
  CATALOG_NOT_WRITTEN:
    'nothing of it was published: check the permissions and the disk of the state directory',
  TOKENS_UNREADABLE: 'check the path and its permissions',
  TOKENS_INVALID: 'nar-scan token new prints an entry as it must be; README.md, "A cache server"',
  TOKENS_UNSAFE: 'only you and root may own it or write to it (chown, chmod go-w)',
  ACCESS_NO_TOKEN:
    'give it as the password: in the netrc-file of nix.conf, or in the URL (http://any:TOKEN@host), which Nix prints',
  ACCESS_UNKNOWN_TOKEN: 'it may have expired: ask the operator of the server for another',
  ACCESS_SCOPE: 'ask the operator of the server for a token with this scope',
  ACCESS_TOO_MANY: 'wait a minute, and look which client has an old token',
  HOMES_REQUEST: 'send {"homes": ["/home/alice"]} as application/json',
  HOMES_TOO_MANY: 'ask the operator to name the directories that matter in the policy: homes = [...]',
  ACCESS_OPEN: 'a server that others reach takes tokens: nar-scan serve --tokens FILE',
  REVIEW_INVALID: 'correct the form and send it again',
  REVIEW_FORGED:
    'open the page anew and send its form; behind a proxy set public_url in [admission] of the policy',
  REVIEW_CHANGED: 'look at what was found since, then decide',
  // the run and its report
  NO_OUTPUTS: 'give at least one output',
  INTERRUPTED: 'scan again; what was not reached was not inspected',
  REPORT_NOT_WRITTEN: 'check free space and permissions, then scan again',
  INTERNAL: 'this is a fault of the program; NAR_SCAN_DEBUG=1 shows where, please report it',
  // workers and output
  WORKER_DIED: 'scan again; if it happens again report it with the target',
  // kernel
  KERNEL_NEEDLE_COUNT: 'this is a fault of the program; report it with the command line',
  KERNEL_NEEDLE_LENGTH: 'give a home of 3 to 512 bytes',
  KERNEL_RANGE: 'this is a fault of the program; report it with the target',
  KERNEL_UNAVAILABLE: 'the engine that was asked for cannot run on this machine; do not force one',
} as const;

export type ErrorCode = keyof typeof ERRORS;

/**
 * An error with a code of the table. The message is one line: what and where.
 * `offset` is the byte offset in the stream at which the fault was seen, if there is one.
 */
export class NarScanError extends Error {
  override readonly name = 'NarScanError';
  readonly code: ErrorCode;
  readonly offset: number | null;

  constructor(code: ErrorCode, message: string, options: { offset?: number; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.offset = options.offset ?? null;
  }

  get hint(): string {
    return ERRORS[this.code];
  }
}
