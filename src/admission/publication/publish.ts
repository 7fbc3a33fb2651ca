import { NarScanError } from '../../model/errors.ts';
import { narInfoText, type NarInfo } from '../../nix/narinfo.ts';
import { type Catalog, isSamePath, type PathAndContent } from '../catalog.ts';
import type { Caller, PublishedPath, Ruling } from '../contracts.ts';
import { deleteFile } from '../intake/deleteFile.ts';
import { JSON_TYPE, NAR_TYPE, NARINFO_TYPE } from '../mediaTypes.ts';
import { debugInfoText } from './debugInfo.ts';
import { filesAmong } from './listing.ts';
import type { PublicationParts } from './parts.ts';
import type { NarAtHand } from './workFile.ts';

/** What is published, and by whom. */
export interface Publication {
  readonly hashPart: string;
  readonly info: NarInfo;
  readonly nar: NarAtHand;
  readonly listing: string | null;
  readonly ruling: Ruling;
  /** It could not be inspected for a fault of this machine, and the server is to let that pass. */
  readonly isUninspected: boolean;
  readonly rules: string;
  readonly caller: Caller;
}

/**
 * Puts an output where it is served from: its NAR and its listing, its narinfo, and when all of them lie there for good,
 * the catalog says so. Whatever happens before that, nobody is served any of it; and where the catalog has another
 * content of the path, the storage is left as it is.
 *
 * @throws NarScanError PATH_PUBLISHED, STORAGE_FAILED, STORAGE_FULL, CATALOG_UNREADABLE
 */
export async function publish(
  { hashPart, info, nar, listing, ruling, isUninspected, rules, caller }: Publication,
  parts: PublicationParts,
): Promise<void> {
  const { catalog, storage } = parts;
  const { name, fileHash, fileSize, narHash, narSize } = nar;
  const { storePath } = info;
  const content = {
    hashPart,
    storePath,
    narName: name,
    narHash,
    fileHash,
    verdict: ruling.standing,
    isUninspected,
  };
  const other = await catalog.inTheWay(content);
  if (other !== null) throw isPublished(other, content);
  await Promise.all([
    nar.received !== null && storage.put(name, { file: nar.file, size: fileSize }, NAR_TYPE),
    // an empty one is none: what another content has left there is not of this one
    storage.put(`${hashPart}.ls`, { bytes: Buffer.from(listing ?? '') }, JSON_TYPE),
  ]);
  const narInfo = await putNarInfo(hashPart, info, parts);
  const debugInfo = listing === null ? null : new AwaitedDebugInfo(name, listing, catalog);
  await debugInfo?.publish();
  const path: PublishedPath = {
    ...content,
    narInfo,
    narSize,
    fileSize,
    rules,
    by: caller.name,
    at: Date.now(),
  };
  // a client may have sent it once more since this began
  const received = await catalog.received(name);
  const published = await catalog.publish(path);
  if (!isSamePath(published, path)) throw isPublished(published, path);
  // what began to wait meanwhile
  await debugInfo?.publish();
  for (const file of new Set([nar.received, received?.file ?? null]))
    if (file !== null) await deleteFile(file);
}

/** Says more of a published path than before: the same, with other signatures. @throws NarScanError as {@link publish} */
export async function publishAgain(
  path: PublishedPath,
  info: NarInfo,
  parts: PublicationParts,
): Promise<void> {
  await parts.catalog.publish({ ...path, narInfo: await putNarInfo(path.hashPart, info, parts) });
}

/** A published path never changes its content. */
export function isPublished(published: PathAndContent, { storePath, narHash }: PathAndContent): NarScanError {
  const here = `${published.storePath} is published with NarHash ${published.narHash}`;
  return new NarScanError('PATH_PUBLISHED', `${here}, and this is ${storePath} with ${narHash}`);
}

async function putNarInfo(hashPart: string, info: NarInfo, { storage }: PublicationParts): Promise<string> {
  const text = narInfoText(info);
  await storage.put(`${hashPart}.narinfo`, { bytes: Buffer.from(text) }, NARINFO_TYPE);
  return text;
}

/** Debuginfo that came before its NAR. Where its file is none of the NAR, nothing comes of it. */
class AwaitedDebugInfo {
  readonly #narName: string;
  readonly #listing: string;
  readonly #catalog: Catalog;
  readonly #seen = new Set<string>();

  constructor(narName: string, listing: string, catalog: Catalog) {
    this.#narName = narName;
    this.#listing = listing;
    this.#catalog = catalog;
  }

  /** Publishes what has come since the last time. */
  async publish(): Promise<void> {
    const narName = this.#narName;
    const awaiting = await this.#catalog.awaiting(narName);
    const come = awaiting.filter(({ object, member }) => !this.#seen.has(`${object} ${member}`));
    const files = await filesAmong(
      this.#listing,
      come.map(({ member }) => member),
    );
    for (const { object, member } of come) {
      this.#seen.add(`${object} ${member}`);
      if (!files.has(member)) continue;
      await this.#catalog.putObject(object, Buffer.from(debugInfoText({ narName, member })), JSON_TYPE);
    }
  }
}
