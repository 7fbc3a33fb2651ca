import * as fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Digest, findingId, gapId, loadDigest } from '../../src/report/ids.ts';
import { anyFinding, anyGap } from './arbitraryFacts.ts';

let digest: Digest;
beforeAll(async () => {
  digest = await loadDigest();
});

describe('ids', () => {
  it('do not change between versions', () => {
    const location = { entry: 'bin/x', container: [], offset: 5, outerOffset: 5 };
    const rest = {
      home: '/home/u',
      alias: null,
      hashPart: null,
      evidence: 'e',
      marked: [0, 1] as const,
      more: 0,
    };
    const kind = { rule: 'known-home', severity: 'error', carrier: 'bytes', encoding: 'plain' } as const;
    expect(findingId({ ...kind, ...rest, location }, digest)).toMatchInlineSnapshot(`"8a118820df42f759"`);
    expect(gapId({ reason: 'truncated', location, detail: 'd' }, digest)).toMatchInlineSnapshot(
      `"bc116264d889c86c"`,
    );
  });

  it('depend on what leaked and where, not on what is around it', () => {
    fc.assert(
      fc.property(anyFinding, anyGap, (finding, gap) => {
        const id = findingId(finding, digest);
        expect(id).toMatch(/^[0-9a-f]{16}$/);
        const around = { evidence: 'other', marked: [0, 1], more: 7, severity: 'note' } as const;
        expect(findingId({ ...finding, ...around }, digest)).toBe(id);
        const { location } = finding;
        expect(findingId({ ...finding, location: { ...location, outerOffset: 12345 } }, digest)).toBe(id);
        const elsewhere = [
          { ...location, entry: `${location.entry}x` },
          { ...location, container: [...location.container, 'x'] },
          { ...location, offset: (location.offset ?? 0) + 1 },
          { ...location, field: `${location.field ?? ''}x` },
        ];
        for (const place of elsewhere) {
          expect(findingId({ ...finding, location: place }, digest)).not.toBe(id);
        }
        expect(findingId({ ...finding, home: `${finding.home ?? ''}x` }, digest)).not.toBe(id);
        expect(findingId({ ...finding, alias: `${finding.alias ?? ''}x` }, digest)).not.toBe(id);
        expect(gapId({ ...gap, detail: 'other' }, digest)).toBe(gapId(gap, digest));
      }),
    );
  });

  it('do not mix up where one name ends and the next begins', () => {
    fc.assert(
      fc.property(anyFinding, (finding) => {
        const at = (container: string[]) =>
          findingId({ ...finding, location: { ...finding.location, container } }, digest);
        expect(new Set([at(['ab', 'c']), at(['a', 'bc']), at(['abc']), at(['a","b', 'c'])]).size).toBe(4);
      }),
    );
  });
});
