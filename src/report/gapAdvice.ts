import { ERRORS } from '../model/errors.ts';
import type { GapReason } from '../model/facts.ts';

/** What to do so that a gap closes: one sentence for each reason. */
export const GAP_ADVICE: Readonly<Record<GapReason, string>> = {
  truncated: 'it ends early; make it again, or leave it out of the output',
  corrupt: 'it is damaged, or only looks like what its first bytes say; make it again, or waive the gap',
  encrypted: 'leave encrypted archives out of the output, or waive the gap and say who looked inside',
  unsupported: 'pack it in a format that is opened (tar, zip, zstd …), or look inside and waive the gap',
  unreadable: 'scan as a user who may read it, or mend its permissions',
  'special-file': 'devices, sockets and pipes do not belong into an output; remove them',
  'malformed-nar': 'no Nix writes such a NAR; fetch or dump it again, and find out who made it',
  'limit-depth': 'raise --max-depth, or pack it less deeply',
  'limit-size': 'raise --max-expanded, or unpack it in the output',
  'limit-ratio': 'raise --max-ratio if it is no bomb',
  'limit-entries': 'raise --max-members, or split the output',
  'limit-memory': 'pack it with a smaller dictionary or window (xz -6, zstd without --ultra)',
  'limit-time': 'raise --max-seconds, or scan the output alone',
  internal: 'scan again; if it happens again report it with the target',
};

/** What to do about gaps of one reason; where all have the same fault of a NAR, what that one needs. */
export function adviceOn(reason: GapReason, details: readonly string[]): string {
  const codes = new Set(details.map((detail) => detail.slice(0, Math.max(0, detail.indexOf(':')))));
  const [code = ''] = codes;
  const hint = Object.entries(ERRORS).find(([name]) => name === code)?.[1];
  return reason === 'malformed-nar' && codes.size === 1 && hint !== undefined ? hint : GAP_ADVICE[reason];
}
