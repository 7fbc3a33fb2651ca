import { LIMITS } from '../../model/limits.ts';
import { signerOf } from '../../nix/signature.ts';
import { parseStorePathName } from '../../nix/storePath.ts';
import { asObject, jsonObject } from './json.ts';

/** `sha256:<hash of a derivation>!<output>` */
const OUTPUT_ID = /^sha256:[0-9a-f]{64}![0-9A-Za-z+\-._?=]{1,211}$/;

/** Says which store path an output of a derivation is. */
export interface Realisation {
  /** Base name of the store path. */
  readonly outPath: string;
  /** As it is served: what Nix knows, and nothing else. */
  readonly text: string;
}

/**
 * A realisation as Nix sends it, to `realisations/<id>.doi`, or from 2.35 on to
 * `build-trace-v2/<derivation>/<output>.doi`, where its name says of what. Null for anything else.
 * (Nix: src/libstore/realisation.cc, of 2.8 and of 2.35.)
 *
 * @param id null for the latter
 */
export function parseRealisation(bytes: Uint8Array, id: string | null): Realisation | null {
  const { outPath, signatures, dependentRealisations = {}, id: said } = jsonObject(bytes) ?? {};
  if (typeof outPath !== 'string' || parseStorePathName(outPath) === null) return null;
  if (!areSignatures(signatures)) return null;
  if (id === null) return { outPath, text: JSON.stringify({ outPath, signatures }) };
  const depends = asObject(dependentRealisations);
  if (said !== id || !OUTPUT_ID.test(id) || depends === null) return null;
  const areOutputs = Object.entries(depends).every(
    ([output, path]) =>
      OUTPUT_ID.test(output) && typeof path === 'string' && parseStorePathName(path) !== null,
  );
  if (!areOutputs) return null;
  return { outPath, text: JSON.stringify({ dependentRealisations: depends, id, outPath, signatures }) };
}

/** As text, or from 2.35 on as key and signature. */
function areSignatures(value: unknown): boolean {
  return Array.isArray(value) && value.length <= LIMITS.narInfoSignatures && value.every(isSignature);
}

function isSignature(value: unknown): boolean {
  if (typeof value === 'string') return signerOf(value) !== null;
  const { keyName, sig, ...more } = asObject(value) ?? {};
  const isWhole = typeof keyName === 'string' && typeof sig === 'string' && Object.keys(more).length === 0;
  return isWhole && signerOf(`${keyName}:${sig}`) === keyName;
}
