import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Catalog } from '../../src/admission/catalog.ts';
import { openCatalog } from '../../src/admission/catalog/sqliteCatalog.ts';
import { servedOf } from '../../src/admission/served.ts';
import { BUILT_IN_POLICY } from '../../src/policy/policy.ts';
import { publishedPath } from './catalog/records.ts';

let folder: string;
let catalog: Catalog;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'nar-scan-served-'));
  catalog = await openCatalog(join(folder, 'catalog.sqlite'));
});
afterEach(async () => {
  await catalog.close();
  rmSync(folder, { recursive: true });
});

const nobody = { refresh: () => undefined, denial: () => null };
const servedBy = (onFailure: 'open' | 'closed', dryRun = false): Catalog => {
  const admission = { ...BUILT_IN_POLICY.admission, onFailure };
  return servedOf(catalog, nobody, {
    storeDir: '/nix/store',
    dryRun,
    policy: { ...BUILT_IN_POLICY, admission },
  });
};

describe.each([
  ['contaminated', false, [false, false, true]],
  ['denied', true, [false, false, true]],
  ['held', false, [false, false, true]],
  // a dry run has let it in with what it could not open
  ['incomplete', false, [false, false, true]],
  ['incomplete', true, [false, true, true]],
  ['clean', false, [true, true, true]],
  ['released', false, [true, true, true]],
] as const)(
  'what was published as %s (for a fault of this machine: %s)',
  (verdict, isUninspected, expected) => {
    it('is served by servers that refuse, that let faults pass, that refuse nothing: as that is', async () => {
      const path = publishedPath('a', { verdict, isUninspected });
      await catalog.publish(path);
      const servers = [servedBy('closed'), servedBy('open'), servedBy('closed', true)];
      for (const [at, served] of servers.entries()) {
        const found = [
          await served.published(path.hashPart),
          await served.publishedNar(path.narName),
          [...(await served.publishedAmong([path.storePath]))][0] ?? null,
        ];
        const isServed = expected[at] === true;
        expect(found, String(at)).toEqual(isServed ? [path, path, path.storePath] : [null, null, null]);
      }
    });
  },
);
