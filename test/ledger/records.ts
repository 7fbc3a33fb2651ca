import type { KnownPath, ScanRecord } from '../../src/ledger/ledger.ts';
import { leakyOutput } from '../report/madeFacts.ts';

const HASH_PART = 'abcdfghijklmnpqrsvwxyz0123456789';

/** A record of its own for every prefix and number: of clean facts where the number is even. */
export function recordOf(prefix: string, number: number): ScanRecord & { readonly path: KnownPath } {
  const storePath = `/nix/store/${HASH_PART}-${prefix}-${number}`;
  const narHash = `sha256:${prefix}${String(number).padStart(52 - prefix.length, '0')}`;
  const { findings, gaps, stats } = leakyOutput;
  return {
    key: { narHash, context: 'c0ffee' },
    path: { storePath, narHash, stamp: `1 2 ${number} 4 5 ${narHash}` },
    facts: {
      storePath,
      narHash,
      findings: number % 2 === 0 ? [] : findings,
      gaps: number % 2 === 0 ? [] : gaps,
      stats,
    },
    version: '0.1.0',
    at: 1,
    by: 'alice@build',
  };
}
