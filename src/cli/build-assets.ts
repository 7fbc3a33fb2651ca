import { copyFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The last step of the build: what the compiler does not put into the package. */
const dist = fileURLToPath(new URL('../../dist', import.meta.url));

/**
 * liblzma's WebAssembly and its licence (LGPL-3.0), from the dev dependency to where the built
 * `library.js` looks for it: users have no node-liblzma.
 */
function copyLiblzma(): void {
  const library = createRequire(import.meta.url).resolve('node-liblzma/wasm/liblzma.wasm');
  const target = join(dist, 'formats', 'compression', 'liblzma');
  copyFileSync(library, join(target, 'liblzma.wasm'));
  copyFileSync(join(dirname(library), '..', '..', 'LICENSE'), join(target, 'LICENSE'));
}

/** The JSON Schema of reports, which the package exports. */
function copyReportSchema(): void {
  const name = join('report', 'report.schema.json');
  copyFileSync(fileURLToPath(new URL(`../${name}`, import.meta.url)), join(dist, name));
}

copyLiblzma();
copyReportSchema();
