import { ERRORS } from '../../model/errors.ts';
import { capital } from '../capital.ts';
import type { Topic } from './topic.ts';

/** What errors whose codes begin alike are about; the first that fits counts. */
const FAMILIES: readonly (readonly [begins: string, what: string])[] = [
  ['USAGE_', 'The command line or the environment was not understood.'],
  ['POLICY_', 'The policy file cannot be used as it is.'],
  ['TARGET_', 'A target cannot be scanned: it does not exist, or may not be read.'],
  ['HOMES_', 'The users of this machine could not be listed.'],
  ['NIX_', 'Nix, or its database, did not do what was asked of it.'],
  ['NAR_', 'A NAR is not as Nix writes it.'],
  ['EXPORT_', 'An export stream is not as nix-store --export writes it.'],
  ['COMPRESSION_', 'A compressed stream could not be read to its end.'],
  ['CONTAINER_', 'An archive could not be read to its end.'],
  ['LEDGER_', 'What was remembered of earlier scans cannot be used; no verdict depends on it.'],
  ['STATE_', 'The directory of what is kept on this machine cannot be used.'],
  ['QUARANTINE_', 'What was asked of the quarantine cannot be done.'],
  ['AUDIT_', 'The audit trail is not as it was written.'],
  ['GUARD_', 'The post-build hook could not do its work, so nothing leaves.'],
  ['KERNEL_', 'The byte search refused its work.'],
  ['NEEDLES_', 'What is to be searched for cannot be searched for at once.'],
  ['', 'What went wrong, and where, is in the message.'],
];

/** Every error code: what it is about, and what to do. */
export const ERROR_TOPICS: readonly Topic[] = Object.entries(ERRORS).map(([code, hint]) => ({
  kind: 'error',
  name: code,
  what: FAMILIES.find(([begins]) => code.startsWith(begins))?.[1] ?? '',
  why: '',
  cause: '',
  mend: [`${capital(hint)}.`],
  waive: [],
}));
