import { notEmpty } from '../flagValues.ts';
import type { Flag } from './flag.ts';

/** What is sent, and how: options of `copy`. */
export const COPY_FLAGS = [
  {
    name: 'to',
    value: { name: 'URL', check: notEmpty },
    repeat: false,
    group: 'What is sent',
    help: 'the store that gets it, as for nix copy',
    commands: ['copy'],
  },
  {
    name: 'skip-contaminated',
    value: null,
    repeat: false,
    group: 'What is sent',
    help: 'leave out what may not leave, with all that refers to it, and send the rest',
    commands: ['copy'],
  },
  {
    name: 'dry-run',
    value: null,
    repeat: false,
    group: 'Run',
    help: 'say what would be sent and what would stay; nothing is sent or recorded',
    commands: ['copy', 'serve'],
    helpOf: { serve: 'refuse nothing, and log what would be refused' },
  },
  {
    name: 'no-staging',
    value: null,
    repeat: false,
    group: 'What is sent',
    help: 'weaker: let Nix read the store itself, although it may have changed since it was judged',
    commands: ['copy'],
  },
  {
    name: 'no-register-homes',
    value: null,
    repeat: false,
    group: 'What is sent',
    help: 'do not tell a nar-scan server which homes are searched for here',
    commands: ['copy'],
  },
] as const satisfies readonly Flag[];
