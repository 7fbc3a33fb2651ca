import { createHash } from 'node:crypto';
import { fileHead, fileTail } from '../../formats/nar/writer.ts';
import { contentName, narHashText } from '../../nix/narHash.ts';
import type { Answer, Caller, InspectionContext } from '../contracts.ts';
import type { PublicationParts } from './parts.ts';
import { admits, mayPass, tellInSpite, uninspected } from './ruled.ts';
import { bytesAtHand } from './workFile.ts';

const ROOT = { name: null, depth: 0 };

/**
 * Searches and judges a text that is no output, such as a log, as the NAR of one file: so it has a hash, and
 * the quarantine can keep it, show it and let it through.
 *
 * @returns null: it may be published
 * @throws NarScanError SCAN_FAILED, INTERRUPTED, UPLOAD_NO_ROOM, STATE_NOT_WRITTEN, and as `Judge.rule`
 */
export async function refusalOf(
  text: Uint8Array,
  name: string,
  caller: Caller,
  parts: PublicationParts,
): Promise<Answer | null> {
  const { inspector, judge, settings } = parts;
  const nar = Buffer.concat([fileHead(ROOT, false, text.length), text, fileTail(ROOT, text.length)]);
  const narHash = narHashText(createHash('sha256').update(nar).digest());
  const called = contentName(narHash);
  await using spooled = await bytesAtHand(nar, parts);
  const context: InspectionContext = { homes: caller.homes, path: null };
  let isUninspected = false;
  const facts = await inspector.nar(spooled.file, called, context, null, nar.length).then(
    (inspected) => inspected.facts,
    (error: unknown) => {
      if (!mayPass(error, settings)) throw error;
      isUninspected = true;
      return uninspected(called, null, narHash, error);
    },
  );
  const subject = { storePath: null, narHash, references: [] };
  const ruling = await judge.rule(facts, subject, caller);
  if (!admits(ruling, isUninspected, settings)) {
    return (await judge.refuse(ruling, subject, { file: spooled.file, name: called }, caller)).answer;
  }
  tellInSpite(ruling, subject, `${name} of ${caller.name} is published`, parts);
  return null;
}
