import * as fc from 'fast-check';
import { type ByteString, bytesOfByteString } from '../../src/model/bytes.ts';
import type { Derivation } from '../../src/nix/derivation.ts';

/** The bytes of a derivation as Nix writes them, whatever is in it. */
export function writeDerivation(derivation: Derivation): Buffer {
  const outputs = [...derivation.outputs].map(([name, { path, hashAlgorithm, hash }]) =>
    [name, path ?? '', hashAlgorithm, hash].map(quoted),
  );
  const inputs = [...derivation.inputDerivations].map(([path, names]) => [quoted(path), strings(names)]);
  const env = [...derivation.env].map((pair) => pair.map(quoted));
  const parts = [
    list(outputs.map(tuple)),
    list(inputs.map(tuple)),
    strings(derivation.inputSources),
    quoted(derivation.platform),
    quoted(derivation.builder),
    strings(derivation.args),
    list(env.map(tuple)),
  ];
  return bytesOfByteString(`Derive${tuple(parts)}`);
}

const ESCAPES: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };
const quoted = (text: ByteString): string =>
  `"${text.replaceAll(/["\\\n\r\t]/g, (character) => ESCAPES[character] ?? `\\${character}`)}"`;
const tuple = (parts: readonly string[]): string => `(${parts.join()})`;
const list = (parts: readonly string[]): string => `[${parts.join()}]`;
const strings = (texts: readonly ByteString[]): string => list(texts.map(quoted));

const anyBytes = fc
  .array(
    fc.oneof(
      fc.constantFrom(...'"\\nrt\n\r\t()[],').map((text) => text.charCodeAt(0)),
      fc.integer({ min: 0, max: 255 }),
    ),
  )
  .map((bytes) => Buffer.from(bytes).toString('latin1'));
const letters = (alphabet: string, minLength: number, maxLength: number): fc.Arbitrary<string> =>
  fc.string({ unit: fc.constantFrom(...alphabet), minLength, maxLength });
const storePath = fc
  .tuple(letters('0123456789abcdfghijklmnpqrsvwxyz', 32, 32), letters('abcXYZ019+_?=-', 1, 8))
  .map(([hashPart, name]) => `/nix/store/${hashPart}-${name}`);
const outputName = letters('abdeinotuv_-', 1, 4);
const names = fc.uniqueArray(outputName, { minLength: 1, maxLength: 4 }).map((all) => all.toSorted());

const output = fc.oneof(
  storePath.map((path) => ({ path, hashAlgorithm: '', hash: '' })),
  storePath.map((path) => ({ path, hashAlgorithm: 'r:sha256', hash: '00ff'.repeat(16) })),
  fc
    .constantFrom('r:sha256', 'text:sha256')
    .map((hashAlgorithm) => ({ path: null, hashAlgorithm, hash: '' })),
  fc.constant({ path: null, hashAlgorithm: 'sha256', hash: 'impure' }),
  fc.constant({ path: null, hashAlgorithm: '', hash: '' }),
);

const mapOf = <Value>(
  key: fc.Arbitrary<string>,
  value: fc.Arbitrary<Value>,
  minLength: number,
): fc.Arbitrary<ReadonlyMap<string, Value>> =>
  fc
    .uniqueArray(fc.tuple(key, value), { selector: ([name]) => name, minLength, maxLength: 5 })
    .map((pairs) => new Map(pairs.toSorted(([one], [other]) => (one < other ? -1 : 1))));

/** Derivations of every kind, with any bytes where Nix allows them. */
export const derivationArbitrary: fc.Arbitrary<Derivation> = fc.record({
  outputs: mapOf(outputName, output, 1),
  inputDerivations: mapOf(
    storePath.map((path) => `${path}.drv`),
    names,
    0,
  ),
  inputSources: fc.uniqueArray(storePath, { maxLength: 4 }).map((all) => all.toSorted()),
  platform: anyBytes,
  builder: anyBytes,
  args: fc.array(anyBytes, { maxLength: 4 }),
  env: mapOf(anyBytes, anyBytes, 0),
});
