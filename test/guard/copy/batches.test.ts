import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { batchesOf } from '../../../src/guard/copy/batches.ts';
import { pathInfo } from '../../support/closures.ts';

const anyInfo = fc
  .tuple(fc.nat(9), fc.nat(30), fc.boolean())
  .map(([name, size, drv]) => pathInfo(`/nix/store/x-${name}${drv ? '.drv' : ''}`, [], size));

describe('batches', () => {
  it('hold all paths in their order, as many as fit, derivations by themselves', () => {
    fc.assert(
      fc.property(fc.array(anyInfo), fc.integer({ min: 1, max: 6 }), fc.nat(60), (infos, paths, bytes) => {
        const batches = batchesOf(infos, { paths, bytes });
        expect(batches.flatMap((batch) => batch.infos)).toEqual(infos);
        for (const [index, batch] of batches.entries()) {
          const size = batch.infos.reduce((sum, { narSize }) => sum + (narSize ?? 0), 0);
          expect(batch.infos.length).toBeGreaterThan(0);
          expect(batch.infos.length).toBeLessThanOrEqual(paths);
          if (batch.infos.length > 1) expect(size).toBeLessThanOrEqual(bytes);
          for (const { storePath } of batch.infos) expect(storePath.endsWith('.drv')).toBe(batch.derivations);
          const next = batches[index + 1];
          const full =
            next === undefined ||
            next.derivations !== batch.derivations ||
            batch.infos.length === paths ||
            size + (next.infos[0]?.narSize ?? 0) > bytes;
          expect(full).toBe(true);
        }
      }),
    );
  });
});
