import { RULES } from '../../model/facts.ts';
import { refuseGlob } from '../../policy/glob.ts';
import { age, oneOf, saidText, when } from '../flagValues.ts';
import { type Flag, QUARANTINE_WRITERS } from './flag.ts';

/** Options of the quarantine and its audit trail. */
export const QUARANTINE_FLAGS = [
  {
    name: 'path',
    value: { name: 'GLOB', check: refuseGlob },
    repeat: false,
    group: 'Quarantine',
    help: 'of these store paths, or their last parts',
    commands: ['quarantine list', 'audit list'],
  },
  {
    name: 'rule',
    value: { name: 'RULE', check: oneOf(RULES).check },
    repeat: false,
    group: 'Quarantine',
    help: 'of this rule',
    commands: ['quarantine list', 'audit list'],
  },
  {
    name: 'since',
    value: { name: 'WHEN', check: when },
    repeat: false,
    group: 'Quarantine',
    help: 'from this day on, such as 2027-01-31 (UTC), or no older than 7d',
    commands: ['quarantine list', 'audit list'],
  },
  {
    name: 'json',
    value: null,
    repeat: false,
    group: 'Quarantine',
    help: 'a JSON document, one a line where there are many',
    commands: ['quarantine list', 'quarantine show', 'audit list'],
  },
  {
    name: 'reason',
    value: { name: 'TEXT', check: saidText },
    repeat: false,
    group: 'Quarantine',
    help: 'why; kept in the audit trail',
    commands: ['quarantine release', 'quarantine deny', 'quarantine lift', 'quarantine purge'],
  },
  {
    name: 'by',
    value: { name: 'ACTOR', check: saidText },
    repeat: false,
    group: 'Quarantine',
    help: 'who; else the user and the host',
    commands: QUARANTINE_WRITERS,
  },
  {
    name: 'expires',
    value: { name: 'WHEN', check: when },
    repeat: false,
    group: 'Quarantine',
    help: 'until when a release counts, such as 2027-01-31 (UTC) or 30d',
    commands: ['quarantine release', 'token new'],
    helpOf: { 'token new': 'until when it counts, such as 2027-01-31 (UTC) or 90d' },
  },
  {
    name: 'older-than',
    value: { name: 'AGE', check: age },
    repeat: false,
    group: 'Quarantine',
    help: 'all that have been there longer, such as 90d',
    commands: ['quarantine purge'],
  },
  {
    name: 'findings',
    value: null,
    repeat: false,
    group: 'Quarantine',
    help: 'take away what was found in them, too',
    commands: ['quarantine purge'],
  },
  {
    name: 'zstd',
    value: null,
    repeat: false,
    group: 'Quarantine',
    help: 'packed, as it is kept',
    commands: ['quarantine export'],
  },
] as const satisfies readonly Flag[];
