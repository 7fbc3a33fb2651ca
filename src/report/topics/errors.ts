import { ERRORS } from '../../model/errors.ts';
import type { Topic } from './topic.ts';

/** What errors whose codes begin alike are about; the first that fits counts. */
const FAMILIES: readonly (readonly [begins: string, what: string, cause: string])[] = [
  [
    'USAGE_',
    'The command line or the environment was not understood.',
    'A mistyped option, a missing or an impossible value.',
  ],
  [
    'POLICY_',
    'The policy file cannot be used as it is.',
    'A key, a value or the file itself is not what a policy may hold.',
  ],
  ['TARGET_', 'A target cannot be scanned.', 'It does not exist, or may not be read.'],
  ['HOMES_', 'The users of this machine could not be listed.', 'The passwd database could not be read.'],
  ['NIX_', "Nix's own state could not be read.", 'It is locked, of another version, or may not be read.'],
  [
    'NAR_',
    'A NAR is not as Nix writes it.',
    'It is damaged, incomplete, no NAR at all, or was made to mislead.',
  ],
  [
    'EXPORT_',
    'An export stream is not as nix-store --export writes it.',
    'It is damaged, incomplete, or something else.',
  ],
  [
    'COMPRESSION_',
    'A compressed stream could not be read to its end.',
    'It is damaged, incomplete, or packed in a way that is not read.',
  ],
  [
    'CONTAINER_',
    'An archive could not be read to its end.',
    'It is damaged, incomplete, encrypted, or packed in a way that is not read.',
  ],
  [
    'KERNEL_',
    'The byte search refused its work.',
    'What is searched for, or the machine, is beyond what it can do.',
  ],
  [
    'NEEDLES_',
    'What is to be searched for cannot be searched for at once.',
    'Too many homes and aliases were named.',
  ],
  ['', 'The run did not end as it should.', 'The message says what happened, and where.'],
];

/** Every error code, explained. */
export const ERROR_TOPICS: readonly Topic[] = Object.entries(ERRORS).map(([code, hint]) => {
  const [, what, cause] = FAMILIES.find(([begins]) => code.startsWith(begins)) ?? ['', '', ''];
  return {
    kind: 'error',
    name: code,
    what,
    why: 'What could not be done was not inspected: a run with errors is never clean.',
    cause,
    mend: [`${hint.charAt(0).toUpperCase()}${hint.slice(1)}.`],
    waive: [],
  };
});
