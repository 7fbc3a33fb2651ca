import type { CommandName } from '../commands.ts';
import type { FlagValue } from '../flagValues.ts';

/** An option of the command line. */
export interface Flag {
  /** Without the dashes. */
  readonly name: string;
  /** One letter, without the dash. */
  readonly short?: string;
  /** Null for a switch. */
  readonly value: FlagValue | null;
  /** May stand several times; of other flags the last one counts. */
  readonly repeat: boolean;
  readonly group:
    | 'What is sent'
    | 'What is searched for'
    | 'Store'
    | 'Report'
    | 'Run'
    | 'Quarantine'
    | 'Server'
    | 'Other';
  readonly help: string;
  /** The commands that take it; `scan` alone where nothing is said. Help and version are everybody's. */
  readonly commands?: readonly CommandName[];
  /** What it is for commands to which it is something else. */
  readonly helpOf?: Readonly<Partial<Record<CommandName, string>>>;
}

/** Commands that write into the audit trail. */
export const QUARANTINE_WRITERS = [
  'quarantine release',
  'quarantine deny',
  'quarantine lift',
  'quarantine purge',
  'quarantine export',
] as const satisfies readonly CommandName[];
