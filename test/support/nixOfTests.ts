import { accessSync, constants } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';

/* Set up before the tests of a file: with NAR_SCAN_TEST_NIX they run the Nix of that folder (.ci/fetch-nix). */

const folder = process.env['NAR_SCAN_TEST_NIX'] ?? '';
if (folder !== '') {
  const programs = resolve(folder, 'bin');
  // or the Nix of this machine would pass for it
  accessSync(join(programs, 'nix-store'), constants.X_OK);
  process.env['PATH'] = `${programs}${delimiter}${process.env['PATH'] ?? ''}`;
}
