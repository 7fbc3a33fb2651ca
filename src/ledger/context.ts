import blakeHash from '@napi-rs/blake-hash';
import { bytesOfByteString, byteStringOfText } from '../model/bytes.ts';
import { RULES } from '../model/facts.ts';
import { LIMITS } from '../model/limits.ts';
import { parseStorePathName } from '../nix/storePath.ts';
import type { MemoryQuery, RunConditions } from '../scan/memory.ts';

/** What the facts of one output depend on besides its content and the run. */
export type OutputConditions = Pick<MemoryQuery, 'aliases'> & {
  readonly info: Pick<MemoryQuery['info'], 'storePath' | 'references'>;
};

/**
 * Makes the fingerprints of everything that facts depend on besides the content: BLAKE3 of a
 * canonical text of it, as lower-case hexadecimal text.
 *
 * @param engine which program scans, with its decoders
 * @returns the fingerprint for one output of the run
 */
export function contextsOf(
  engine: readonly string[],
  { context, limits, digests }: RunConditions,
): (output: OutputConditions) => string {
  const { homes, aliases, storeDir, hashParts, edits } = context;
  const run = digestOf([
    engine,
    RULES,
    entriesOf(LIMITS),
    entriesOf(limits),
    // the order of homes says whose a user's name is
    { homes, aliases, storeDir, hashParts, edits: edits ?? null },
    digests,
  ]);
  return ({ info, aliases: shown }) => {
    // the own name, too: a file's kind may be told by it
    const own = info.storePath.slice(info.storePath.lastIndexOf('/') + 1);
    const references = new Set(info.references.map(hashPartOf));
    return digestOf([run, own, [...references].toSorted(), shown]);
  };
}

/** What references weigh by; of what is no store path, all of it. */
function hashPartOf(path: string): string {
  const name = path.slice(path.lastIndexOf('/') + 1);
  return parseStorePathName(name)?.hashPart ?? path;
}

/** By name; names alone are sorted, for whatever starts often asks for this. */
function entriesOf(record: object): readonly unknown[] {
  const values = record as Readonly<Record<string, unknown>>;
  return Object.keys(values)
    .toSorted()
    .map((name) => [name, values[name]]);
}

/** JSON tells apart every list of parts. */
function digestOf(parts: readonly unknown[]): string {
  const text = byteStringOfText(JSON.stringify(parts));
  return blakeHash.blake3(bytesOfByteString(text)).toString('hex');
}
