import { byteStringOfText } from '../../model/bytes.ts';
import type { VerdictPolicy } from '../../policy/policy.ts';
import type { AuditLog } from '../../quarantine/audit.ts';
import { narOfTree } from '../../quarantine/store/narFile.ts';
import { Quarantine } from '../../quarantine/store/quarantine.ts';
import type { GateSettings } from '../../policy/gate.ts';
import type { NarScanError } from '../../model/errors.ts';
import type { HookEvent } from './hook.ts';
import { becauseOf, isRecorded } from './lines.ts';

/** What recording takes. */
export interface RecordTools {
  readonly log: AuditLog;
  readonly settings: GateSettings['quarantine'];
  readonly policy: VerdictPolicy;
  readonly diskOf: (storePath: string) => string;
  /** Told of an output that is recorded but could not be kept. */
  readonly warn: (error: NarScanError) => void;
}

/**
 * Writes down what is not passed on. What was built and blocks by itself is kept in the quarantine; of
 * what it refers to only what was found, so that it can be looked at and released: a closure may hold
 * much that was made elsewhere.
 *
 * @returns the ids of what is recorded, by store path
 * @throws NarScanError as {@link AuditLog.append}
 */
export async function recordWithheld(
  { rulings, closure, origin }: HookEvent,
  tools: RecordTools,
): Promise<ReadonlyMap<string, string>> {
  const { log, settings, policy, diskOf, warn } = tools;
  const [keeping, noting] = [
    new Quarantine(log, settings),
    new Quarantine(log, { ...settings, keep: false }),
  ];
  const withheld = rulings.filter(({ fate }) => fate !== 'pass');
  const built = new Set(withheld.map(({ storePath }) => storePath));
  const blockers = new Map(
    withheld.flatMap((ruling) => ruling.blockers.map((blocker) => [blocker.storePath, blocker] as const)),
  );
  const ids = new Map<string, string>();
  for (const { storePath, facts, result } of [...blockers.values()].filter(isRecorded)) {
    const registered = closure.get(storePath) ?? null;
    const nar = narOfTree(byteStringOfText(diskOf(storePath)));
    const quarantine = built.has(storePath) ? keeping : noting;
    const entry = await quarantine.keep({ storePath, nar, facts, result, policy, registered, origin });
    ids.set(storePath, entry.id);
    if (entry.refusal !== null) warn(entry.refusal);
  }
  await log.append(
    ...withheld.map((ruling) => ({
      event: ruling.fate === 'reject' ? ('rejected' as const) : ('withheld' as const),
      storePath: ruling.storePath,
      narHash: ruling.narHash,
      because: becauseOf(ruling, policy),
    })),
  );
  return ids;
}
