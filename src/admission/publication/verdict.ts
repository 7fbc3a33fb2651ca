import { type SecretKey, signText } from '../../nix/signature.ts';
import type { PublishedPath } from '../contracts.ts';

/**
 * What was found when a path was admitted, signed. In Nix a signature says that an output is that of its path; this one
 * says that it was searched, under which rules, and when.
 */
export interface VerdictRecord {
  readonly schema: 'nar-scan/verdict-v1';
  readonly storePath: string;
  readonly narHash: string;
  /** `released` is what a person let through in spite of what was found, and never `clean`. */
  readonly verdict: PublishedPath['verdict'];
  /** Fingerprint of the rules. */
  readonly rules: string;
  /** When it was published, such as `2026-01-02T03:04:05.678Z`. */
  readonly at: string;
  /** `name:base64` by Ed25519, over the text that {@link verdictStatement} gives. */
  readonly signature: string;
  /** `name:base64` */
  readonly publicKey: string;
}

/** The verdict on a published path. @param key the server's key for verdicts */
export function verdictOf(path: PublishedPath, key: SecretKey): VerdictRecord {
  const { storePath, narHash, verdict, rules } = path;
  const said = { storePath, narHash, verdict, rules, at: new Date(path.at).toISOString() };
  return {
    schema: 'nar-scan/verdict-v1',
    ...said,
    signature: signText(key, verdictStatement(said)),
    publicKey: key.publicText,
  };
}

/** What is signed: `nar-scan-verdict-1`, then the fields of the record in their order, with semicolons between them. */
export function verdictStatement(
  said: Pick<VerdictRecord, 'storePath' | 'narHash' | 'verdict' | 'rules' | 'at'>,
): string {
  const { storePath, narHash, verdict, rules, at } = said;
  return ['nar-scan-verdict-1', storePath, narHash, verdict, rules, at].join(';');
}
