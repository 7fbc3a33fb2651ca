import { sizeOf } from '../model/size.ts';
import type { PolicyText } from './schema.ts';

/** What somebody's home in bytes is whom nobody has named: kept for review, a warning, or an error. */
export const FOREIGN_HOME_MODES = ['hold', 'warn', 'error'] as const;
export type ForeignHomeMode = (typeof FOREIGN_HOME_MODES)[number];

/** What becomes of an upload that could not be inspected for a fault of the server. */
export const FAILURE_MODES = ['closed', 'open'] as const;
type FailureMode = (typeof FAILURE_MODES)[number];

/** How the cache server admits outputs. */
export interface AdmissionSettings {
  /** Null: `warn` for a client whose homes are known, `hold` for one whose are not. */
  readonly foreignHome: ForeignHomeMode | null;
  /** `closed`: nothing is admitted; `open`: it is admitted as incomplete. */
  readonly onFailure: FailureMode;
  /** Public keys as Nix writes them, `name:base64`: whose signatures the server vouches for by its own. */
  readonly trustedKeys: readonly string[];
  /** Whether published paths may be fetched without a token. */
  readonly anonymousRead: boolean;
  /** Hours that a NAR waits for its narinfo. */
  readonly keepReceived: number;
  /** Bytes of a NAR as it is sent. */
  readonly maxNar: number;
  /** Where people and clients reach the server, without a slash at its end; null: as it listens. */
  readonly publicUrl: string | null;
}

const GiB = 1024 ** 3;

/** Nobody reads without a token, unless the operator says that the cache is a public one. */
export const BUILT_IN_ADMISSION: AdmissionSettings = Object.freeze({
  foreignHome: null,
  onFailure: 'closed',
  trustedKeys: [],
  anonymousRead: false,
  keepReceived: 24,
  maxNar: 16 * GiB,
  publicUrl: null,
});

/** The settings of a policy file's text, with what it leaves out as built in. */
export function admissionOf({ admission = {} }: PolicyText): AdmissionSettings {
  const built = BUILT_IN_ADMISSION;
  const { max_nar: most, public_url: url } = admission;
  return {
    foreignHome: admission.foreign_home ?? built.foreignHome,
    onFailure: admission.on_failure ?? built.onFailure,
    trustedKeys: admission.trusted_keys ?? built.trustedKeys,
    anonymousRead: admission.anonymous_read ?? built.anonymousRead,
    keepReceived: admission.keep_received ?? built.keepReceived,
    maxNar: (typeof most === 'string' ? sizeOf(most) : most) ?? built.maxNar,
    publicUrl: url?.replace(/\/$/, '') ?? built.publicUrl,
  };
}

/** The table of a policy file that says the same; what nothing can be written for is undefined. */
export function admissionTable(settings: AdmissionSettings) {
  return {
    foreign_home: settings.foreignHome ?? undefined,
    on_failure: settings.onFailure,
    trusted_keys: settings.trustedKeys,
    anonymous_read: settings.anonymousRead,
    keep_received: settings.keepReceived,
    max_nar: settings.maxNar,
    public_url: settings.publicUrl ?? undefined,
  };
}
