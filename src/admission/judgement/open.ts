import { compileEngine } from '../../kernel/create.ts';
import { openOwnDecisions } from '../../quarantine/ownDecisions.ts';
import { withAuditLog } from '../../quarantine/ownTrail.ts';
import type { Judge } from '../judge.ts';
import type { ServerSettings } from '../settings.ts';
import { type JudgeParts, PolicyJudge } from './policyJudge.ts';

/** What a server that judges has. */
export interface JudgeOptions extends Pick<JudgeParts, 'catalog' | 'inspector' | 'log'> {
  readonly settings: ServerSettings;
  readonly environment: NodeJS.ProcessEnv;
}

/**
 * The judge of a server: its quarantine and its audit trail lie in its state directory, and what was decided on this
 * machine counts, too.
 *
 * @throws NarScanError STATE_*, AUDIT_*: nobody knows what was decided
 */
export async function openJudge(options: JudgeOptions): Promise<Judge & Disposable> {
  const { settings, log, catalog, inspector } = options;
  const environment = { ...options.environment, NAR_SCAN_STATE: settings.state };
  const warn = (error: unknown): void => log.error(error);
  const decisions = await openOwnDecisions(environment, warn);
  return await PolicyJudge.open({
    settings,
    catalog,
    inspector,
    decisions,
    kernel: compileEngine().engine,
    withTrail: async (actor, act) => await withAuditLog(environment, settings.policy.gate, actor, warn, act),
    log,
  });
}
