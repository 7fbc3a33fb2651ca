import { NarScanError } from '../../model/errors.ts';
import type { OutputFacts } from '../../model/facts.ts';
import type { Caller, InspectionContext } from '../contracts.ts';
import { deleteFile } from '../intake/deleteFile.ts';
import { fileHashOf } from '../intake/fileHasher.ts';
import type { PublicationParts } from './parts.ts';
import { mayPass, together, uninspected } from './ruled.ts';
import { bytesAtHand, type NarAtHand } from './workFile.ts';

/** What was found in an output and its narinfo. */
export interface Searched {
  readonly facts: OutputFacts;
  /** What is in the NAR, as Nix writes it; null where that is not known. */
  readonly listing: string | null;
  /** It could not be inspected for a fault of this machine, and that may pass. */
  readonly isUninspected: boolean;
  /** Fingerprint of all that the facts depend on, as it was before the search: it may have come to be more meanwhile. */
  readonly rules: string;
}

/**
 * Searches a NAR as the output that it is said to be, and the narinfo that says so: what Nix does not know in it, or
 * reads as a mere name, may hold a home, too.
 *
 * @throws NarScanError SCAN_FAILED, INTERRUPTED, UPLOAD_NO_ROOM, STATE_NOT_WRITTEN
 */
export async function search(
  nar: NarAtHand,
  narInfo: { readonly name: string; readonly bytes: Uint8Array },
  path: NonNullable<InspectionContext['path']>,
  caller: Caller,
  parts: PublicationParts,
): Promise<Searched> {
  const { inspector, settings } = parts;
  await using text = await bytesAtHand(narInfo.bytes, parts);
  const rules = await inspector.rules(caller.homes);
  const context = { homes: caller.homes, path };
  const both = await Promise.allSettled([
    inspector.nar(nar.file, nar.name, context, null, nar.fileSize, { listing: true }),
    inspector.file(text.file, narInfo.name, context),
  ]);
  let found: Awaited<ReturnType<typeof inspector.nar>>;
  let said: OutputFacts;
  try {
    found = valueOf(both[0]);
    said = valueOf(both[1]);
  } catch (error) {
    if (!mayPass(error, settings)) throw error;
    const facts = uninspected(nar.name, path.storePath, nar.narHash, error);
    return { facts, listing: null, isUninspected: true, rules };
  }
  await refuseAnother(found, nar);
  const { facts, listing } = found;
  return { facts: together(facts, said, narInfo.name), listing, isUninspected: false, rules };
}

function valueOf<T>(settled: PromiseSettledResult<T>): T {
  if (settled.status === 'rejected') throw settled.reason;
  return settled.value;
}

/**
 * The bytes lay on a disk since they were bound to their hash. What is spoilt there is taken away, to be sent again; what
 * could only not be read this time is not.
 */
async function refuseAnother(
  found: Pick<NarAtHand, 'compression'> & { narHash: string | null; narSize: number },
  nar: NarAtHand,
): Promise<void> {
  const isSame =
    found.narHash === nar.narHash && found.narSize === nar.narSize && found.compression === nar.compression;
  if (isSame) return;
  const isSpoilt = nar.received !== null && (await isOther(nar.received, nar.fileHash));
  if (nar.received !== null && isSpoilt) await deleteFile(nar.received);
  const is =
    found.narHash === null && !isSpoilt
      ? 'could not be read as a whole'
      : 'is not what was received any more';
  throw new NarScanError('SCAN_FAILED', `${nar.name} ${is}`);
}

/** Whether a file has another hash; not where that cannot be told. */
async function isOther(file: string, fileHash: string): Promise<boolean> {
  return await fileHashOf(file).then(
    (found) => found !== fileHash,
    () => false,
  );
}
