import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import blakeHash from '@napi-rs/blake-hash';
import { once } from '../model/once.ts';

/** Bundles that are started by name, and liblzma; what they share lies in files that are named by their content, too. */
const NAMED = /^[a-z]+\.(?:c?js|wasm)$/i;
const DIGITS = 16;

/**
 * What of this program facts depend on: its version, and the code itself where it is built, for two
 * builds of one version may find other things. And the decoders that come with Node.
 */
export const engineVersion: () => string = once(() => {
  const here = fileURLToPath(import.meta.url);
  const folder = dirname(here);
  const text = readFileSync(join(folder, '..', '..', 'package.json'), 'utf8');
  const { version } = JSON.parse(text) as { version: string };
  return here.endsWith('.ts') ? version : `${version}+${digestOfBundles(folder)}`;
});

/** The versions of the decoders that come with Node. */
export function decoderVersions(): readonly string[] {
  const versions = process.versions as Readonly<Record<string, string | undefined>>;
  return ['zlib', 'zstd', 'brotli'].map((name) => `${name} ${versions[name] ?? 'unknown'}`);
}

function digestOfBundles(folder: string): string {
  const names = readdirSync(folder).toSorted();
  const contents = names.filter((name) => NAMED.test(name)).map((name) => readFileSync(join(folder, name)));
  const bytes = Buffer.concat([Buffer.from(names.join('\n')), ...contents]);
  return blakeHash.blake3(bytes).toString('hex').slice(0, DIGITS);
}
