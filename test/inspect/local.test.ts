import { expect, it } from 'vitest';
import { findingAt, gapAt } from '../../src/inspect/local.ts';

it('facts of bytes become facts of each entry that links to them', () => {
  const local = {
    rule: 'known-home',
    severity: 'error',
    carrier: 'runpath',
    encoding: 'plain',
    home: '/home/zoe',
    alias: null,
    hashPart: null,
    offset: 7,
    section: '.dynstr',
    field: 'DT_RUNPATH',
    evidence: '/home/zoe',
    marked: [0, 9],
    more: 2,
  } as const;
  const { offset, section, field, ...rest } = local;
  for (const entry of ['', 'a/b']) {
    expect(findingAt(entry, local)).toEqual({
      ...rest,
      location: { entry, container: [], offset, outerOffset: offset, section, field },
    });
  }
});

it('a gap keeps its place', () => {
  expect(gapAt('a', { reason: 'corrupt', offset: null, detail: 'why' })).toEqual({
    reason: 'corrupt',
    detail: 'why',
    location: { entry: 'a', container: [], offset: null, outerOffset: null },
  });
});
