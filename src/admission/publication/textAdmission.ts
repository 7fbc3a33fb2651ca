import { contentName } from '../../nix/narHash.ts';
import { done } from '../answers.ts';
import type { Answer, Caller, InspectionContext } from '../contracts.ts';
import { outcomeOf } from '../outcome.ts';
import type { PublicationParts } from './parts.ts';
import { admits, mayPass, ruledUnseen, tellInSpite, uninspected } from './ruled.ts';
import { textNar } from './textNar.ts';
import { bytesAtHand } from './workFile.ts';

/**
 * Searches and judges a text that is no output, such as a log, as the NAR of one file: so it has a hash, and
 * the quarantine can keep it, show it and let it through.
 *
 * @returns null: it may be published. What a server that refuses nothing would have to refuse is taken and dropped.
 * @throws NarScanError SCAN_FAILED, INTERRUPTED, UPLOAD_NO_ROOM, STATE_NOT_WRITTEN, and as `Judge.rule`
 */
export async function refusalOf(
  text: Uint8Array,
  name: string,
  caller: Caller,
  parts: PublicationParts,
): Promise<Answer | null> {
  const { inspector, judge, settings } = parts;
  const { pieces, narHash } = textNar(text);
  const nar = Buffer.concat(pieces);
  const called = contentName(narHash);
  await using spooled = await bytesAtHand(nar, parts);
  const context: InspectionContext = { homes: caller.homes, path: null };
  let isUninspected = false;
  const facts = await inspector.nar(spooled.file, called, context, null, nar.length).then(
    (inspected) => ({ ...inspected.facts, target: name }),
    (error: unknown) => {
      if (!mayPass(error, settings)) throw error;
      isUninspected = true;
      return uninspected(name, null, narHash, error);
    },
  );
  const subject = { storePath: null, narHash, references: [] };
  const ruled = await judge.rule(facts, subject, caller);
  const ruling = isUninspected ? ruledUnseen(ruled) : ruled;
  if (!admits(ruling, isUninspected, settings)) {
    return (await judge.refuse(ruling, subject, { file: spooled.file, name: called }, caller)).answer;
  }
  if (outcomeOf(ruling) === 'admitted') return null;
  // nothing would say later in spite of what it was let in
  tellInSpite(ruling, subject, `${name} of ${caller.name} is taken, and not kept,`, parts);
  return done(`${name} is taken, and not kept`);
}
