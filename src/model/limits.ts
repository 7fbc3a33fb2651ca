const KiB = 1024;
const MiB = 1024 * KiB;

/** Every limit of the program. Reaching one is a gap in the report, never a silent end. */
export const LIMITS = Object.freeze({
  /** Bytes read at once from a file or stream into the kernel's memory. */
  chunkBytes: 512 * KiB,
  /** Bytes kept on either side of a hit for boundary rules and evidence (PATH_MAX on Linux). */
  contextBytes: 4 * KiB,
  /** Bytes at the start and at the end of a streamed binary that are kept for its tables. */
  binaryHeadBytes: 1 * MiB,
  binaryTailBytes: 1 * MiB,
  /** Bytes kept of one streamed binary for tables its header names (dynamic section, load commands). */
  binaryTableBytes: 4 * MiB,
  /** Bytes of tables read of one binary, fields and sections kept of it. */
  binaryReadBytes: 64 * MiB,
  binaryFields: 65_536,
  /** Bytes of the strings of one binary's fields. */
  binaryFieldBytes: 1 * MiB,
  binarySections: 262_144,
  /** Streams after the first of their section, in all compressed sections of one binary. */
  sectionStreams: 4096,
  /** Findings of one kind (rule, carrier, home …) listed for one entry; the rest is counted. */
  findingsPerKind: 16,
  /** Kinds of findings listed for one entry. */
  kindsPerEntry: 1024,
  /** Hits of one binary that are remembered until its fields are known. */
  hitsPerBinary: 20_000,
  /** Findings and gaps kept for one output. */
  factsPerOutput: 200_000,
  /** NAR: nested directories, name and target length, tag length (newest Nix). */
  narDepth: 64,
  narNameBytes: 255,
  narTargetBytes: 4095,
  narTagBytes: 32,
  /** From how many bytes on the contents of a file of a NAR are searched by whoever has nothing to do, and how many may wait. */
  narSharedBytes: 4 * MiB,
  narSharedContents: 65_536,
  /** Export stream: bytes of one store path, references of one path and their bytes in all, a legacy signature. */
  exportPathBytes: 4096,
  exportReferences: 65_536,
  exportReferenceBytes: 16 * MiB,
  exportSignatureBytes: 4096,
  /** Decompressors: memory of one xz/lzma/lzip dictionary, zstd window (log2), brotli window is 16 MiB by format. */
  xzMemoryBytes: 192 * MiB,
  zstdWindowLog: 27,
  /** Containers inside containers that are opened; the most that can be asked for. */
  containerDepth: 16,
  containerDepthMost: 64,
  /** What containers of one output may expand to, and how many members they may have, in all. */
  expandedBytes: 16 * 1024 * MiB,
  containerEntries: 10_000_000,
  /** How long the containers of one output may take, in seconds. */
  outputSeconds: 3600,
  /** A stream that has given more bytes than this may have expanded this many times, no more. */
  ratioFreeBytes: 64 * MiB,
  expansionRatio: 200,
  /** Streams in the middle of one content that are tried. */
  embeddedStreams: 4096,
  /** Bytes that are searched for streams once more, where there were more of them and most were read as something else. */
  searchedAgainBytes: 64 * MiB,
  /** Such a stream that breaks after this many decoded bytes was one; before that it is chance. */
  embeddedProofBytes: 64 * KiB,
  /** Facts kept of each severity for what one entry's containers hold. */
  factsPerContainer: 20_000,
  /** What one worker keeps of streams that must be read out of order: in memory, and in a temporary file. */
  spoolMemoryBytes: 32 * MiB,
  spoolFileBytes: 4 * 1024 * MiB,
  /** tar: bytes of one PAX header, long name or long link target; cpio, ar: of one member name. */
  tarExtendedBytes: 1 * MiB,
  archiveNameBytes: 4 * KiB,
  /** Symlink targets, which cpio keeps as contents (PATH_MAX on Linux); ar: the table of long names. */
  cpioTargetBytes: 4095,
  arNameTableBytes: 16 * MiB,
  /** A packed piece that nobody wanted to its end is decoded this much further to find what follows it. */
  packedSkipBytes: 64 * MiB,
  /** Text before a packed piece that says how it is packed: PDF dictionaries, lines of a header, names of a chunk. */
  packedHeaderBytes: 64 * KiB,
  /** Zip: members of one archive (eight bytes of memory each), a symbolic link's target. */
  zipEntries: 10_000_000,
  zipTargetBytes: 4095,
  /** Squashfs: blocks of 8 KiB in one table, a symbolic link's target, ranges that are remembered as claimed. */
  squashfsTableBlocks: 65_536,
  squashfsTargetBytes: 4095,
  squashfsRanges: 4_194_304,
  /** Blocks with the ends of files: how many, decoded bytes of them that are kept; what may be decoded again of those that were not, and of tables. */
  squashfsFragments: 1_048_576,
  squashfsTailsBytes: 16 * MiB,
  squashfsAgainBytes: 2048 * MiB,
  /** Memory for one of its blocks, which has at most 1 MiB: of an xz or lzma dictionary, of a zstd window (log2). */
  squashfsMemoryBytes: 16 * MiB,
  squashfsWindowLog: 23,
  /** ISO 9660: files and directories of one image (some 100 bytes of memory each), a symbolic link's target. */
  isoExtents: 1_000_000,
  isoTargetBytes: 4095,
  /** The passwd database: what `getent` may print, and how long it may take. */
  passwdBytes: 64 * MiB,
  passwdMilliseconds: 10_000,
  /** Hash parts of one output and its references that are searched for; `/store/` finds the others. */
  hashParts: 256,
  /** Aliases that outputs of a run have shown and that the outputs after them are searched for. */
  shownAliases: 16,
  /** Depth of directories in a tree. */
  treeDepth: 4096,
  /** What one kernel searches for, in all encodings. More are refused. */
  needles: 4096,
  needleBytes: 512,
  /** A home; it must fit into the bytes kept around a hit. */
  homeBytes: 4000,
  /** A derivation: its file, the items of all its lists, outputs of outputs of its inputs. */
  derivationBytes: 64 * MiB,
  derivationItems: 1_000_000,
  derivationDepth: 16,
  /** Text that is read while the links of one path are resolved. */
  realpathBytes: 4 * MiB,
  /** Direct inputs of a derivation that are looked at for sources; texts of sources that are remembered. */
  derivationInputs: 65_536,
  sourceLiterals: 1_000_000,
  /** A narinfo: most of it are the names of references. */
  narInfoBytes: 4 * MiB,
  narInfoSignatures: 64,
  /** A log of a build; a realisation or the like; a listing that a client sends, and that is dropped. */
  logBytes: 16 * MiB,
  smallObjectBytes: 1 * MiB,
  unwantedListingBytes: 256 * MiB,
  /** One record of the audit trail; a release names all that it covers. */
  auditLineBytes: 8 * MiB,
  /** How long one attempt to tell somebody of an event may take, and telling of all in all. */
  notifyAttemptMilliseconds: 15_000,
  notifyMilliseconds: 120_000,
  /** How long another process that holds a lock of the state is waited for. */
  lockMilliseconds: 60_000,
  /** Guards that run inside each other, because what follows one of them builds something. */
  guardNesting: 8,
  /** Reports of the guard that are kept, the newest. */
  guardReports: 1000,
  /** Bytes of NARs that are scanned in the main thread: a thread starts in the time that they take. */
  threadlessBytes: 8 * MiB,
  /** Nix: what it may print, bytes of a line of it, how long it may take to tell what a store has. */
  nixAnswerBytes: 256 * MiB,
  nixLineBytes: 16 * KiB,
  nixAnswerMilliseconds: 120_000,
  /** Paths on one command line of Nix, and NARs that wait to be sent at once. */
  nixArguments: 1000,
  stagingBytes: 4096 * MiB,
  /** A policy file, and one as JSON, which says more of each waiver. */
  policyBytes: 1 * MiB,
  policyJsonBytes: 8 * MiB,
  /** The ledger: facts of one output as JSON; the whole database; scans that its history tells of. */
  ledgerFactsBytes: 32 * MiB,
  ledgerBytes: 1024 * MiB,
  ledgerScans: 500_000,
  /** An upload: bytes written to its spool at once, and how many must come in every window after the first. */
  uploadWriteBytes: 256 * KiB,
  /** What uploads take of one turn of the event loop together, each from its first so many bytes on. */
  uploadTurnBytes: 1 * MiB,
  uploadTurnFreeBytes: 512 * KiB,
  uploadWindowMilliseconds: 30_000,
  uploadWindowBytes: 30_000,
  /** Bytes of the disk that no upload takes: the catalog and the audit trail must go on. */
  diskReserveBytes: 64 * MiB,
  /** Memory for what is packed by its Content-Encoding: `xz -9` takes 65 MiB. */
  encodingMemoryBytes: 80 * MiB,
  /** Streams in a row of such a body, and how long it is unpacked until others get their turn. */
  encodingStreams: 64,
  encodingTurnMilliseconds: 10,
  /** Uploads up to this size do not wait behind larger ones. */
  smallUploadBytes: 8 * MiB,
  /** What a thread of the cache server keeps in memory of streams that must be read out of order; the rest is a file. */
  inspectionMemoryBytes: 8 * MiB,
  /** Errors, warnings and gaps kept of one upload, and notes, which large outputs have many of: they are judged and recorded where all requests are answered. */
  uploadFacts: 4000,
  uploadNotes: 20_000,
  /** Characters of the listing of one NAR; a longer one is not told. */
  listingLength: 16 * MiB,
  /** The cache server: bytes of a request's headers and how long they may take; connections, and requests on each. */
  serverHeaderBytes: 16 * KiB,
  serverHeaderMilliseconds: 20_000,
  serverConnections: 4096,
  serverConnectionRequests: 10_000,
  /** How long a connection may be silent that waits for its client, and one between two requests. */
  serverSilenceMilliseconds: 90_000,
  serverKeepAliveMilliseconds: 75_000,
  /** What is read of a body that nobody wants, so that its sender comes to read the answer. */
  serverUnwantedBytes: 64 * MiB,
  serverUnwantedMilliseconds: 20_000,
  /** What requests under way get to end in when the server is stopped, and those that are broken off to be answered. */
  serverGraceMilliseconds: 30_000,
  serverLastMilliseconds: 3000,
  /** How long it is believed what was found of whether the server is ready. */
  serverReadyMilliseconds: 5000,
  /** Room on its disk without which the server is not ready. */
  serverLeastRoom: 256 * MiB,
  /** Bytes of a body that it parses in memory; of a file with a key. */
  serverParsedBytes: 64 * KiB,
  keyBytes: 4096,
  /** NARs that wait for their narinfos: how often it is looked which have waited too long, and how long one must have waited to begin anew when it is sent again. */
  receivedSweepMilliseconds: 600_000,
  receivedRenewalMilliseconds: 600_000,
  /** How often the server asks its machine for homes and places of the store that it did not have before. */
  hostAskedMilliseconds: 600_000,
  /** The review pages: outputs that are looked at for one page of a list, and bytes of a kept NAR for one page's leaks and for the names of its entries. */
  reviewedOutputs: 2000,
  reviewNarBytes: 256 * MiB,
  reviewNamesBytes: 32 * MiB,
  /** A form of them: its bytes, and how long its page may lie open before it is sent. */
  reviewFormBytes: 16 * KiB,
  reviewFormMilliseconds: 12 * 3_600_000,
  /** Refused uploads that are known before they are sent again, the latest. */
  refusedUploads: 100_000,
  /** An upstream storage: how long nothing may come from it, a netrc file, what is read of an answer to reuse its connection. */
  upstreamMilliseconds: 60_000,
  netrcBytes: 1 * MiB,
  upstreamAnswerBytes: 64 * KiB,
  /** What copy reads of an answer of the cache server about homes, and how long it waits for one. */
  registrationBytes: 4 * MiB,
  registrationMilliseconds: 10_000,
  /** The tokens of the cache server: their file, how many there are, how often it is looked whether they changed. */
  tokensBytes: 8 * MiB,
  tokens: 10_000,
  tokensMilliseconds: 1000,
  /** Wrong tokens from one address that are answered as such in a window of time, and addresses that are remembered. */
  accessFailures: 20,
  accessWindowMilliseconds: 60_000,
  accessAddresses: 10_000,
  /** Homes of one token, and the document that brings them; those outside the directories where homes usually lie, which take more needles. */
  registeredHomesBytes: 1 * MiB,
  registeredHomes: 1000,
  registeredHomesElsewhere: 64,
} as const);
