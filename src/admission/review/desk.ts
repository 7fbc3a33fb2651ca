import { exactText } from '../../model/bytes.ts';
import { NarScanError } from '../../model/errors.ts';
import { LIMITS } from '../../model/limits.ts';
import type { OutputResult } from '../../model/report.ts';
import { spanOf } from '../../model/when.ts';
import { decide } from '../../policy/decide.ts';
import type { AuditLog } from '../../quarantine/audit.ts';
import { decisionOf, denialOf, liftEvent, outputNamed, releasing } from '../../quarantine/judgement.ts';
import { readFindings } from '../../quarantine/store/findings.ts';
import { keptBytes, quarantineDir } from '../../quarantine/store/place.ts';
import { Quarantine } from '../../quarantine/store/quarantine.ts';
import type { QuarantinedRecord } from '../../quarantine/trail/record.ts';
import type { Catalog } from '../catalog.ts';
import { isServed } from '../served.ts';
import type { ServerSettings } from '../settings.ts';
import type { ServerTrail } from '../trail.ts';
import { contentNames } from './contentNames.ts';
import { BATCH, recordsOf } from './outputRecords.ts';
import { isSettleable, shownEntries } from './shownEntries.ts';
import type {
  DenialsView,
  HomesView,
  ListedOutput,
  OutputsQuery,
  OutputStanding,
  OutputsView,
  OutputView,
  PublishedView,
  TrailView,
} from './views.ts';

/** What a page lists. */
const PAGE = 50;
const CHART_HOURS = 24;

/** What reviewing works with. */
export interface ReviewParts extends ServerTrail {
  readonly settings: Pick<ServerSettings, 'state' | 'policy' | 'dryRun'>;
  readonly catalog: Pick<Catalog, 'approvals' | 'approve' | 'hours' | 'publishedPaths'>;
}

/** What somebody decides. */
interface Decided {
  /** Name of the token. */
  readonly actor: string;
  readonly reason: string;
}

/**
 * What reviewers look at and do. Every method rejects with STATE_*, AUDIT_* and CATALOG_* errors; those that name an
 * output with QUARANTINE_UNKNOWN.
 */
export class ReviewDesk {
  readonly #parts: ReviewParts;
  readonly #now: () => number;

  constructor(parts: ReviewParts, now: () => number = Date.now) {
    this.#parts = parts;
    this.#now = now;
  }

  async outputs(query: OutputsQuery): Promise<OutputsView> {
    const { catalog } = this.#parts;
    const now = this.#now();
    return await this.#reading(async (log) => {
      const { outputs, next } = this.#find(log, query, now);
      return { query, outputs, next, hours: await catalog.hours(CHART_HOURS, now), now };
    });
  }

  async output(id: string): Promise<OutputView> {
    const { settings, catalog, decisions } = this.#parts;
    const now = this.#now();
    return await this.#reading(async (log) => {
      const { record } = outputNamed(log, id);
      const { storePath, narHash } = record;
      const releases = narHash === null ? [] : decisions.releasesOf(storePath, narHash, new Date(now));
      const listed = this.#listed(record, now);
      const result = this.#resultOf(record, new Date(now));
      const approvals = await catalog.approvals();
      const approved = new Set(approvals.map(({ home }) => home));
      return {
        ...listed,
        found: result && {
          ...(await shownEntries(result, approvals, {
            state: settings.state,
            id: record.id,
            kept: listed.kept,
          })),
          gaps: result.gaps,
          verdict: result.verdict,
        },
        names: await contentNames(settings.state, log, record),
        settleable: foreignHomes(result).filter((home) => !approved.has(home)),
        decisions: [...decisions.denialsOf(storePath, narHash), ...releases],
        seen: seenOf(record, log),
        now,
      };
    });
  }

  /** @param before as a page before it has it; null: the latest */
  async trail(before: number | null): Promise<TrailView> {
    return await this.#reading(async ({ trail }) => {
      const last = trail.lastRecords(before, PAGE);
      const next = last.at(-1)?.offset ?? 0;
      const records = last.map(({ record }) => ({
        record,
        liftedBy: trail.ask((index) => index.liftOf(record.seq)),
      }));
      return { records, next: next === 0 ? null : next, now: this.#now() };
    });
  }

  async published(after: { readonly at: number; readonly hashPart: string } | null): Promise<PublishedView> {
    const { catalog, decisions, settings } = this.#parts;
    const found = await catalog.publishedPaths(PAGE + 1, after ?? undefined);
    decisions.refresh();
    const paths = found.slice(0, PAGE).map((path) => {
      const isDenied = decisions.denial(path.storePath, path.narHash) !== null;
      return { ...path, isDenied, isServed: isServed(path, isDenied, settings) };
    });
    return { paths, isLast: found.length <= PAGE, now: this.#now() };
  }

  async denials(): Promise<DenialsView> {
    const { decisions } = this.#parts;
    decisions.refresh();
    return { denials: decisions.denials().toReversed(), now: this.#now() };
  }

  async homes(): Promise<HomesView> {
    return { approvals: await this.#parts.catalog.approvals(), now: this.#now() };
  }

  /**
   * Lets an output out in spite of exactly what was found in it.
   * @param seen what its page stood for: the same content may have been refused for more since
   * @throws NarScanError QUARANTINE_NOT_RELEASABLE, REVIEW_CHANGED
   */
  async release(id: string, seen: string, { actor, reason }: Decided, expires: Date | null): Promise<void> {
    await this.#deciding(actor, async (log) => {
      const { record } = outputNamed(log, id);
      if (seen !== seenOf(record, log))
        throw new NarScanError('REVIEW_CHANGED', 'it was refused for something else since its page was made');
      const now = new Date(this.#now());
      const { same, events } = releasing(log, this.#parts.decisions, record, reason, expires, now);
      if (same === null) await log.append(...events);
    });
  }

  /**
   * Keeps something out for good.
   * @param named id of an output, store path or NarHash
   * @throws NarScanError PATH_NOT_IN_STORE
   */
  async deny(named: string, { actor, reason }: Decided): Promise<void> {
    await this.#deciding(actor, async (log) => await log.append(denialOf(log, named, reason)));
  }

  /** Takes a denial or a release back. @throws NarScanError DECISION_UNKNOWN */
  async lift(decision: number, { actor, reason }: Decided): Promise<void> {
    await this.#deciding(actor, async (log) => {
      const { sequence } = decisionOf(log, decision);
      await log.append(liftEvent(sequence, reason));
    });
  }

  /** Takes the kept NAR of an output away. @param whole what was found in it, too */
  async purge(id: string, { actor, reason }: Decided, whole: boolean): Promise<void> {
    const { policy } = this.#parts.settings;
    await this.#deciding(actor, async (log) => {
      const { record } = outputNamed(log, id);
      return await new Quarantine(log, policy.gate.quarantine).purge([record], reason, whole);
    });
  }

  /**
   * Settles a home of others for good: it is no reason to hold anything any more.
   * @param id of an output in which it was found
   * @throws NarScanError REVIEW_INVALID where it was not
   */
  async approve(id: string, home: string, { actor, reason }: Decided): Promise<void> {
    await this.#deciding(actor, async (log) => {
      const { record } = outputNamed(log, id);
      const now = this.#now();
      if (!foreignHomes(this.#resultOf(record, new Date(now))).includes(home)) {
        throw new NarScanError('REVIEW_INVALID', `'${home}' is no home of others that was found in ${id}`);
      }
      await log.append({ event: 'settled', id: record.id, home, reason });
      await this.#parts.catalog.approve({ home, reason, actor, at: now });
    });
  }

  #find(
    log: AuditLog,
    query: OutputsQuery,
    now: number,
  ): { readonly outputs: readonly ListedOutput[]; readonly next: number | null } {
    const since = query.age === null ? 0 : now - (spanOf(query.age) ?? 0);
    const outputs: ListedOutput[] = [];
    let next = query.before ?? Number.MAX_SAFE_INTEGER;
    // a page that finds little in many says where to go on, too
    for (let looked = 0; looked < LIMITS.reviewedOutputs; looked += BATCH) {
      const rows = log.trail.ask((index) => index.outputsBefore(next, BATCH));
      for (const { row, record } of recordsOf(log, rows)) {
        if (Date.parse(record.at) < since) return { outputs, next: null };
        if (outputs.length === PAGE) return { outputs, next };
        next = row.seq;
        if (!fits(record, query)) continue;
        const listed = this.#listed(record, now);
        if (query.standing === null || listed.standing === query.standing) outputs.push(listed);
      }
      if (rows.length < BATCH) return { outputs, next: null };
    }
    return { outputs, next };
  }

  #listed(record: QuarantinedRecord, now: number): ListedOutput {
    const { state } = this.#parts.settings;
    return {
      record,
      standing: this.#standingOf(record, now),
      kept: keptBytes(quarantineDir(state), record.id),
    };
  }

  #standingOf({ storePath, narHash, blocking }: QuarantinedRecord, now: number): OutputStanding {
    const { decisions } = this.#parts;
    if (decisions.denial(storePath, narHash) !== null) return 'denied';
    if (narHash === null) return 'undecided';
    return decisions.release(storePath, narHash, blocking, new Date(now)) === null ? 'undecided' : 'released';
  }

  /** What was found, as the policy judges it now; null where that was purged. */
  #resultOf(record: QuarantinedRecord, now: Date): OutputResult | null {
    const { state, policy } = this.#parts.settings;
    try {
      return decide(readFindings(state, record), policy.verdict, now).result;
    } catch (error) {
      if (error instanceof NarScanError && error.code === 'QUARANTINE_UNKNOWN') return null;
      throw error;
    }
  }

  async #reading<T>(act: (log: AuditLog) => Promise<T>): Promise<T> {
    return await this.#deciding('review', act);
  }

  async #deciding<T>(actor: string, act: (log: AuditLog) => Promise<T>): Promise<T> {
    this.#parts.decisions.refresh();
    return await this.#parts.withTrail(actor, async (log) => {
      await log.sync();
      return await act(log);
    });
  }
}

function seenOf({ blocking }: QuarantinedRecord, { digest }: AuditLog): string {
  return digest(Buffer.from(blocking.join()));
}

function fits({ id, storePath, homes, rules, verdict }: QuarantinedRecord, query: OutputsQuery): boolean {
  const { text, home } = query;
  if (text !== '' && !storePath.includes(text) && !id.startsWith(text)) return false;
  if (home !== '' && !homes.some((each) => each.includes(home))) return false;
  if (query.rule !== null && !rules.includes(query.rule)) return false;
  return query.verdict === null || verdict === query.verdict;
}

/** Homes of others that can be settled; what is no text cannot be told in a form. */
function foreignHomes(result: OutputResult | null): readonly string[] {
  const homes = (result?.findings ?? []).flatMap((finding) => {
    const home = isSettleable(finding) && finding.home !== null ? exactText(finding.home) : null;
    return home === null ? [] : [home];
  });
  return [...new Set(homes)];
}
