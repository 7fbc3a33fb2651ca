import { GAP_REASONS, type GapReason } from '../../model/facts.ts';
import { canBeWaived } from '../../policy/baseline.ts';
import { capital } from '../capital.ts';
import { GAP_ADVICE } from '../gapAdvice.ts';
import type { Topic } from './topic.ts';

const LIMIT = 'It may be a bomb, or just large: limits bound what a scan costs.';

/** What it means, and how it comes about. */
const WORDS: Readonly<Record<GapReason, readonly [what: string, cause: string]>> = {
  truncated: ['A stream or archive ends early.', 'A write or a download broke off, or its length is wrong.'],
  corrupt: [
    'A stream or archive is damaged: its header is right and its body is not.',
    'A disk or a download failed, it was made to mislead, or its first bytes only look like that format.',
  ],
  encrypted: ['A member of an archive is encrypted.', 'The archive was made with a password.'],
  unsupported: [
    'A container that is recognised and cannot be opened.',
    'There is no reader for that format (7z, rar, UDF …) or for that method of it.',
  ],
  unreadable: [
    'The system refused to let a file be read, or it changed while it was.',
    'Permissions, a broken disk, a build that still writes.',
  ],
  'special-file': [
    'A device, a socket or a pipe.',
    'A build ran mknod or left a socket behind; Nix itself refuses them.',
  ],
  'malformed-nar': [
    'A NAR that no Nix would write.',
    'It is damaged, or was made to mislead readers that check less.',
  ],
  'limit-depth': ['Containers lie deeper in each other than is opened.', LIMIT],
  'limit-size': ['Containers of this output hold more bytes than are unpacked.', LIMIT],
  'limit-ratio': ['A stream expands more times than is believed.', LIMIT],
  'limit-entries': [
    'Containers of this output have more members than are read, or there were more facts than are kept.',
    LIMIT,
  ],
  'limit-memory': ['A stream asks for more memory than is given.', 'Its dictionary or window is very large.'],
  'limit-time': ['The containers of this output took longer than is waited.', LIMIT],
  internal: ['The scanner failed there.', 'A fault of the program, or a worker that died.'],
};

/** Every reason of a gap, explained. */
export const GAP_TOPICS: readonly Topic[] = GAP_REASONS.map((reason) => ({
  kind: 'gap',
  name: reason,
  what: WORDS[reason][0],
  why: 'What was not inspected may hold any leak: the verdict is incomplete until the gap closes or somebody answers for it.',
  cause: WORDS[reason][1],
  mend: [`${capital(GAP_ADVICE[reason])}.`],
  waive: canBeWaived({ reason }) ? [`reason = "${reason}"`] : [],
}));
