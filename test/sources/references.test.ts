import { describe, expect, it } from 'vitest';
import type { Finding } from '../../src/model/facts.ts';
import { compileNeedles } from '../../src/needles/compile.ts';
import { FactSink, type PartialFacts } from '../../src/sources/factSink.ts';
import { softenKnownReferences } from '../../src/sources/references.ts';

const OWN = '0123456789abcdfghijklmnpqrsvwxyz';
const REFERENCE = `1${OWN.slice(1)}`;
const STRANGER = `2${OWN.slice(1)}`;
const PATHS = [`/nix/store/${OWN}-tool-1.0`, `/nix/store/${REFERENCE}-lib-2.0`];
const SET = compileNeedles({
  homes: ['/home/noamyr'],
  aliases: ['/gpfs/nix/store'],
  storeDir: '/nix/store',
  hashParts: [],
});

const ALIAS: Finding = {
  rule: 'store-alias',
  severity: 'error',
  carrier: 'bytes',
  encoding: 'plain',
  home: null,
  alias: '/scratch/nix/store',
  hashPart: STRANGER,
  location: { entry: 'bin/tool', container: [], offset: 7, outerOffset: 7 },
  evidence: `/scratch/nix/store/${STRANGER}-x`,
  marked: [0, 51],
  more: 0,
};

function softened(change: Partial<Finding>, paths: readonly string[] = PATHS): string {
  const sink = new FactSink();
  sink.addFinding({ ...ALIAS, ...change });
  const facts: PartialFacts = softenKnownReferences(sink.facts, paths, SET);
  expect(facts.findings[0]).toEqual({ ...ALIAS, ...change, severity: facts.findings[0]?.severity });
  return facts.findings[0]?.severity ?? 'gone';
}

describe('a store alias, once all references are known', () => {
  it('stays an error in an encoding that Nix does not read', () => {
    expect(softened({})).toBe('warning');
    expect(softened({ encoding: 'utf16le' })).toBe('error');
  });

  it('is a warning where its hash is neither the own one nor a reference', () => {
    expect(softened({})).toBe('warning');
    expect(softened({ home: '/home/stranger' })).toBe('warning');
  });

  it.each<readonly [string, Partial<Finding>]>([
    ['of the output itself', { hashPart: OWN }],
    ['of a reference', { hashPart: REFERENCE }],
    ['below a known alias', { alias: '/gpfs/nix/store' }],
    ['in a known home', { home: '/home/noamyr' }],
    ['in a link', { carrier: 'symlink' }],
    ['in a run path', { carrier: 'runpath' }],
    ['in a shebang', { carrier: 'shebang' }],
    ['in a name', { carrier: 'entry-name' }],
    ['without a hash part', { hashPart: null }],
    ['without an alias', { alias: null }],
  ])('stays an error %s', (_what, change) => {
    expect(softened(change)).toBe('error');
  });

  it('leaves other rules and severities alone', () => {
    expect(softened({ rule: 'known-home' })).toBe('error');
    expect(softened({ severity: 'note' })).toBe('note');
    expect(softened({ severity: 'warning' })).toBe('warning');
  });

  it('is an error where its path may begin in another constant, but its hash is a reference', () => {
    expect(softened({ severity: 'warning', hashPart: REFERENCE })).toBe('error');
  });

  it('takes references of any store dir, and none from what is no store path', () => {
    expect(softened({}, [`/gpfs/store/${STRANGER}-x`])).toBe('error');
    expect(softened({}, [`/nix/store/${STRANGER}`, STRANGER, ''])).toBe('warning');
  });
});
