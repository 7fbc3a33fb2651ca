import { stat } from 'node:fs/promises';
import { byteStringOfText } from '../../model/bytes.ts';
import { LIMITS } from '../../model/limits.ts';
import type { OutputFacts } from '../../model/facts.ts';
import type { OutputResult } from '../../model/report.ts';
import type { ForeignHomeMode } from '../../policy/admission.ts';
import type { KeptSizes } from '../../quarantine/store/keptSizes.ts';
import { Quarantine } from '../../quarantine/store/quarantine.ts';
import { type Digest, loadDigest } from '../../report/ids.ts';
import type { ReportOrigin } from '../../report/reporter.ts';
import type { Catalog } from '../catalog.ts';
import type { Caller, Ruling } from '../contracts.ts';
import type { Inspector } from '../inspector.ts';
import type { Judge, NarFile, Refusal, Subject } from '../judge.ts';
import type { ServerSettings } from '../settings.ts';
import type { ServerTrail } from '../trail.ts';
import { Turns } from '../turns.ts';
import { againstText, refusalAnswer } from './refusal.ts';
import { ruleOn, subjectName } from './rule.ts';

/** What judging works with. */
export interface JudgeParts extends ServerTrail {
  readonly settings: Pick<ServerSettings, 'policy' | 'publicUrl' | 'version'>;
  readonly catalog: Pick<Catalog, 'approvals'>;
  readonly inspector: Pick<Inspector, 'known' | 'rules' | 'repack'>;
  /** Of the quarantine. */
  readonly kept: KeptSizes;
  /** What searches here, for the reports that are kept. */
  readonly tool: ReportOrigin['tool'];
  readonly log: { error(error: unknown): void };
}

/** Judges uploads under the policy of the server, what its people decided, and the homes that they have settled. */
export class PolicyJudge implements Judge {
  readonly #parts: JudgeParts;
  readonly #digest: Digest;
  /** They take the same locks, so those of a lane do not try for them all at once. */
  readonly #records = new Turns();

  private constructor(parts: JudgeParts, digest: Digest) {
    this.#parts = parts;
    this.#digest = digest;
  }

  static async open(parts: JudgeParts): Promise<PolicyJudge> {
    return new PolicyJudge(parts, await loadDigest());
  }

  async rule(facts: OutputFacts, subject: Subject, caller: Caller): Promise<Ruling> {
    const { settings, catalog, inspector, decisions } = this.#parts;
    const { homes, aliases } = await inspector.known(caller.homes);
    const approvals = await catalog.approvals();
    decisions.refresh();
    return ruleOn(facts, subject, {
      policy: settings.policy.verdict,
      foreignHome: this.#foreignHome(caller),
      approvals,
      decisions,
      known: { homes: homes.map(byteStringOfText), aliases: aliases.map(byteStringOfText) },
      now: new Date(),
      digest: this.#digest,
    });
  }

  async refuse(ruling: Ruling, subject: Subject, source: NarFile | null, caller: Caller): Promise<Refusal> {
    const { settings, log } = this.#parts;
    let id: string | null = null;
    try {
      const lane = await laneOf(source);
      id = await this.#records.take(lane, () => this.#record(ruling, subject, source, caller));
    } catch (error) {
      // what could not be recorded is refused all the same
      log.error(error);
    }
    const { storePath, narHash } = subject;
    const sent = { storePath, narHash, id, publicUrl: settings.publicUrl };
    return { answer: refusalAnswer(ruling, sent, settings.policy.verdict), id };
  }

  against(ruling: Ruling, { narHash }: Subject): string {
    return againstText(ruling, narHash, this.#parts.settings.policy.verdict);
  }

  async judgedBy(caller: Caller): Promise<string> {
    const { settings, catalog, inspector, decisions } = this.#parts;
    const rules = await inspector.rules(caller.homes);
    const approvals = await catalog.approvals();
    decisions.refresh();
    const homes = approvals.map(({ home }) => home).toSorted();
    const { verdict } = settings.policy;
    const depends = [
      settings.version,
      rules,
      verdict,
      this.#foreignHome(caller),
      homes,
      decisions.fingerprint(),
    ];
    return this.#digest(Buffer.from(JSON.stringify(depends)));
  }

  #foreignHome({ homes }: Caller): ForeignHomeMode {
    const { foreignHome } = this.#parts.settings.policy.admission;
    return foreignHome ?? (homes.length > 0 ? 'warn' : 'hold');
  }

  /** @returns its id in the quarantine; null for what a person denied: it has been looked at */
  async #record(
    { standing, result, decision }: Ruling,
    subject: Subject,
    source: NarFile | null,
    caller: Caller,
  ): Promise<string | null> {
    const { settings, inspector, kept, tool, log } = this.#parts;
    const { narHash } = subject;
    const storePath = subjectName(subject, result);
    const nar = source && {
      write: async (target: string, most: number) =>
        await inspector.repack(source.file, source.name, target, most),
    };
    return await this.#parts.withTrail(caller.name, async (trail) => {
      if (standing === 'denied') {
        const because = `denied by record ${decision?.sequence ?? 0}`;
        await trail.append({ event: 'rejected', storePath, narHash, because });
        return null;
      }
      const rules = await inspector.rules(caller.homes);
      const origin: ReportOrigin = { tool, rules };
      const { id, refusal } = await new Quarantine(trail, settings.policy.gate.quarantine, kept).keep({
        storePath,
        nar,
        facts: { ...factsOf(result), narHash },
        result,
        policy: settings.policy.verdict,
        registered: null,
        origin,
      });
      // what is no NAR as a whole cannot be kept as one
      if (refusal !== null && narHash !== null) log.error(refusal);
      return id;
    });
  }
}

/** What is small does not wait until a large NAR is packed. */
async function laneOf(source: NarFile | null): Promise<'small' | 'large'> {
  if (source === null) return 'small';
  const { size } = await stat(source.file);
  return size <= LIMITS.smallUploadBytes ? 'small' : 'large';
}

/** A judged result as facts: what was waived may not be tomorrow. */
function factsOf(result: OutputResult): OutputFacts {
  const { verdict: _verdict, ...facts } = result;
  return {
    ...facts,
    findings: result.findings.map(({ waivedBy: _waivedBy, source: _source, ...finding }) => finding),
    gaps: result.gaps.map(({ waivedBy: _waivedBy, ...gap }) => gap),
  };
}
