import { createHash } from 'node:crypto';
import { fileHead, fileTail } from '../../formats/nar/writer.ts';
import { narHashText } from '../../nix/narHash.ts';

const ROOT = { name: null, depth: 0 };

/** The NAR of one file, as which a text is judged that is no output. */
export interface TextNar {
  readonly pieces: readonly Uint8Array[];
  readonly narHash: string;
}

export function textNar(text: Uint8Array): TextNar {
  const pieces = [fileHead(ROOT, false, text.length), text, fileTail(ROOT, text.length)];
  const hash = createHash('sha256');
  for (const piece of pieces) hash.update(piece);
  return { pieces, narHash: narHashText(hash.digest()) };
}
