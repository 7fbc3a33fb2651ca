import { type ErrorCode, ERRORS } from '../model/errors.ts';
import type { Gap, GapReason } from '../model/facts.ts';

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

const CODE = /^[A-Z_]+(?=: )/;
/** Gaps of these begin with the code of an error where there is one. */
const OF_ERRORS: ReadonlySet<GapReason> = new Set(['internal', 'malformed-nar']);

/** What to do so that this gap closes. One that comes of an error has the error's own hint. */
export function adviceOn({ reason, detail }: Gap): string {
  const code = OF_ERRORS.has(reason) ? CODE.exec(detail)?.[0] : undefined;
  if (code === undefined || !Object.hasOwn(ERRORS, code)) return GAP_ADVICE[reason];
  return ERRORS[code as ErrorCode];
}
