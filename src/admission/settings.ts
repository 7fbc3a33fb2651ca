import type { Policy } from '../policy/policy.ts';

/** How the server is run: what its command line and the policy say, checked. */
export interface ServerSettings {
  /** The state directory; the spool, the catalog, the quarantine and the audit trail lie there. */
  readonly state: string;
  /** The logical store dir it serves. */
  readonly storeDir: string;
  readonly policy: Policy;
  /** Homes of this machine count, too. */
  readonly hostHomes: boolean;
  /** Where people and clients reach it, such as `https://cache.example.org`; null: as it listens. */
  readonly publicUrl: string | null;
  /** Scans at once; one more is there for what is small. */
  readonly scans: number;
  /** Everything is admitted, and what would be refused is told. */
  readonly dryRun: boolean;
  readonly version: string;
}
