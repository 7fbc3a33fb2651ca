import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { copyFile, link, writeFile } from 'node:fs/promises';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { NarScanError } from '../../model/errors.ts';
import { narHashText } from '../../nix/narHash.ts';
import { parseNarInfo } from '../../nix/narinfo.ts';
import { CODECS } from '../../formats/compression/codec.ts';
import type { PublishedPath } from '../contracts.ts';
import { deleteFile } from '../intake/deleteFile.ts';
import { writeFault } from '../intake/writeFault.ts';
import type { FoundNar } from './bind.ts';
import type { PublicationParts } from './parts.ts';

const PRIVATE = 0o600;

/** A NAR that lies here, in a file of one's own that goes when it is disposed of. */
export interface NarAtHand extends FoundNar, AsyncDisposable {
  readonly file: string;
  /** The file it was received in; null where it was published before, under another path. */
  readonly received: string | null;
}

type Parts = Pick<PublicationParts, 'settings' | 'catalog' | 'storage' | 'spool'>;

/**
 * A NAR that was received, or one that is published: clients do not send what is there.
 * @returns null where there is none of this name
 * @throws NarScanError STORAGE_FAILED, UPLOAD_NO_ROOM, STATE_NOT_WRITTEN, CATALOG_UNREADABLE
 */
export async function narAtHand(name: string, parts: Parts): Promise<NarAtHand | null> {
  const { catalog, spool } = parts;
  const file = spool.fresh();
  const own = { file, [Symbol.asyncDispose]: () => deleteFile(file) };
  const received = await catalog.received(name);
  // the file of a NAR is another one when it is received again
  if (received !== null && (await linked(received.file, file)))
    return { ...received, ...own, received: received.file };
  const published = await catalog.publishedNar(name);
  if (published === null) return null;
  try {
    const nar = await fetched(published, file, parts);
    return nar && { ...nar, ...own, received: null };
  } catch (error) {
    await deleteFile(file);
    throw error;
  }
}

/** Bytes in a file of one's own. @throws NarScanError UPLOAD_NO_ROOM, STATE_NOT_WRITTEN */
export async function bytesAtHand(
  bytes: Uint8Array,
  { spool }: Parts,
): Promise<{ readonly file: string } & AsyncDisposable> {
  const file = spool.fresh();
  try {
    await writeFile(file, bytes, { flag: 'wx', mode: PRIVATE });
  } catch (error) {
    await deleteFile(file);
    throw writeFault(error);
  }
  return { file, [Symbol.asyncDispose]: () => deleteFile(file) };
}

/** @returns whether there is such a file */
async function linked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
  }
  // not every file system has hard links
  try {
    await copyFile(from, to);
    return true;
  } catch (error) {
    await deleteFile(to);
    if (isMissing(error)) return false;
    throw writeFault(error);
  }
}

function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT';
}

/**
 * Fetches the NAR of a published path from the storage, which may have changed it.
 * @returns null where it is not known how it is packed: its path is published with another one by now
 */
async function fetched(
  path: PublishedPath,
  file: string,
  { storage, settings }: Parts,
): Promise<FoundNar | null> {
  const { narName: name, fileHash, fileSize, narHash, narSize } = path;
  const info = parseNarInfo(Buffer.from(path.narInfo), settings.storeDir);
  const compression = CODECS.find((known) => known === info.compression);
  if (info.url !== name || compression === undefined) return null;
  const object = await storage.get(name);
  if (object?.size !== fileSize) {
    object?.stream.destroy();
    throw changed(name, storage.shown);
  }
  const hash = createHash('sha256');
  const hashing = new Transform({
    transform(chunk: Uint8Array, _encoding, done) {
      hash.update(chunk);
      done(null, chunk);
    },
  });
  try {
    await pipeline(object.stream, hashing, createWriteStream(file, { flags: 'wx', mode: PRIVATE }));
  } catch (error) {
    throw error instanceof NarScanError ? error : writeFault(error);
  }
  if (narHashText(hash.digest()) !== fileHash) throw changed(name, storage.shown);
  return { name, fileHash, fileSize, narHash, narSize, compression };
}

function changed(name: string, where: string): NarScanError {
  return new NarScanError('STORAGE_FAILED', `${name} in ${where} is not what was put there`);
}
