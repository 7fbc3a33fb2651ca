import type { Hook, HookKeeper } from '../../guard/hook/hook.ts';
import { recordWithheld } from '../../guard/hook/records.ts';
import { keepReport } from '../../guard/hook/reportFiles.ts';
import { reportTexts } from '../../guard/hook/reportTexts.ts';
import { stateDirForWriting } from '../../ledger/stateDir.ts';
import type { NarScanError } from '../../model/errors.ts';
import type { Policy } from '../../policy/policy.ts';
import { actorOf } from '../../quarantine/actor.ts';
import { withAuditLog } from '../../quarantine/ownTrail.ts';
import { loadDigest } from '../../report/ids.ts';
import { warn as tell } from '../decisions.ts';

/** What keeping takes. */
export interface KeeperOptions {
  readonly environment: NodeJS.ProcessEnv;
  readonly policy: Policy;
  readonly diskOf: Hook['diskOf'];
  readonly now: Date;
  readonly warn: (error: NarScanError) => void;
}

/** Keeps in the state directory what happened in a hook: reports, the quarantine and the audit trail. */
export function hookKeeper({ environment, policy, diskOf, now, warn }: KeeperOptions): HookKeeper {
  return {
    async report(event) {
      const texts = reportTexts(event, policy.verdict, await loadDigest());
      return keepReport(stateDirForWriting(environment), event.name, texts, now);
    },
    async record(event) {
      const settings = policy.gate.quarantine;
      return await withAuditLog(environment, policy.gate, actorOf(environment), tell, (log) =>
        recordWithheld(event, { log, settings, policy: policy.verdict, diskOf, warn }),
      );
    },
  };
}
