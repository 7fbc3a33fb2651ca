import type { GapReason } from '../../model/facts.ts';
import type { OutputResult, ReportError } from '../../model/report.ts';
import { gapsByReason } from '../grouping.ts';
import type { Digest } from '../ids.ts';
import { printableJson, printableText } from '../printable.ts';
import type { Reporter, ReportOrigin, RunSummary } from '../reporter.ts';
import { counted } from '../units.ts';
import { waiverOf } from '../waived.ts';
import { findingResult, gapResult, message, type ResultOrigin } from './results.ts';
import { gapRule, ruleIndex, SARIF_NOTIFICATIONS, SARIF_RULES } from './rules.ts';
import { baseUri } from './uri.ts';

/** Where the public schema of the format is found (OASIS Standard, errata 01). */
const SCHEMA = 'https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json';

/** What is kept of an output until the end of the run. */
interface Kept {
  readonly base: readonly [id: string, location: object];
  readonly gaps: readonly (readonly [reason: GapReason, count: number])[];
  readonly record: object;
}

/**
 * SARIF 2.1.0 (OASIS), one run. Results are written as outputs come; what stands behind them, where
 * outputs lie and how the run went, needs a line an output. A document that breaks off is no JSON.
 *
 * A gap is a result of level error and a notification, and the run was not successful then:
 * tools that read SARIF take what holds no result for clean.
 *
 * @param strict whether warnings count as errors, so that they are told as such
 */
export function sarifReporter(
  origin: ReportOrigin,
  digest: Digest,
  { strict }: { readonly strict: boolean } = { strict: false },
): Reporter {
  const kept: Kept[] = [];
  let first = true;
  const separated = (result: object): string => {
    const text = `${first ? '' : ','}\n${printableJson(result)}`;
    first = false;
    return text;
  };
  return {
    begin: () => `${head(origin)},"results":[`,
    output(result) {
      const baseId = `OUTPUT${kept.length}`;
      const place: ResultOrigin = { baseId, name: printableText(result.storePath ?? result.target) };
      const counting = result.gaps.filter((gap) => waiverOf(gap) === null);
      kept.push({
        base: [baseId, baseLocation(result)],
        gaps: gapsByReason(counting).map(([reason, gaps]) => [reason, gaps.length]),
        record: outputRecord(result, baseId),
      });
      return [
        ...result.findings.map((finding) => separated(findingResult(finding, place, digest, strict))),
        ...result.gaps.map((gap) => separated(gapResult(gap, place, digest))),
      ].join('');
    },
    end: (summary) => [`],\n${tail(summary, origin, kept)}]}\n`],
  };
}

/** Up to the results: the log, the run, the tool and all its rules. */
function head({ tool }: ReportOrigin): string {
  const driver = {
    name: tool.name,
    semanticVersion: tool.version,
    version: tool.version,
    shortDescription: { text: 'Build-output purity scanner for Nix' },
    rules: SARIF_RULES,
    notifications: SARIF_NOTIFICATIONS,
  };
  return `{"$schema":${JSON.stringify(SCHEMA)},"version":"2.1.0","runs":[{"tool":${printableJson({ driver })}`;
}

function tail(
  { verdict, errors, unusedWaivers }: RunSummary,
  { tool, rules }: ReportOrigin,
  kept: readonly Kept[],
): string {
  const gaps = kept.flatMap((output) => output.gaps.map((gap) => [...gap, output.base[0]] as const));
  const invocation = {
    executionSuccessful: errors.length === 0 && gaps.length === 0 && kept.length > 0,
    toolConfigurationNotifications: unusedWaivers.map((waiver) => ({
      level: 'warning',
      message: message(`waiver without use: ${printableText(waiver)}`),
    })),
    toolExecutionNotifications: [
      ...errors.map(errorNotification),
      ...gaps.map(([reason, count, baseId]) => gapNotification(reason, count, baseId)),
    ],
  };
  const record = {
    originalUriBaseIds: Object.fromEntries(kept.map(({ base }) => base)),
    invocations: [invocation],
    properties: {
      verdict,
      kernel: tool.kernel,
      rules,
      outputs: kept.map((output) => output.record),
    },
  };
  return `${printableJson(record).slice(1, -1)}}`;
}

function baseLocation({ storePath, target }: OutputResult): object {
  const path = storePath ?? target;
  const description = message(printableText(path));
  return path.startsWith('/') ? { uri: baseUri(path), description } : { description };
}

function outputRecord({ target, storePath, narHash, verdict, stats }: OutputResult, baseId: string): object {
  return {
    baseId,
    target,
    storePath,
    narHash,
    verdict,
    stats: { ...stats, milliseconds: Math.round(stats.milliseconds) },
  };
}

function errorNotification({ code, target, message: text, hint }: ReportError): object {
  const named = target === null || target === '' || text.includes(target) ? '' : `${target}: `;
  return {
    descriptor: { id: code },
    level: 'error',
    message: message(printableText(`${named}${text}; ${hint}`)),
  };
}

function gapNotification(reason: GapReason, count: number, uriBaseId: string): object {
  const id = gapRule(reason);
  return {
    associatedRule: { id, index: ruleIndex(id) },
    level: 'error',
    message: message(`${counted(count, 'gap')}: ${reason}`),
    locations: [{ physicalLocation: { artifactLocation: { uri: '.', uriBaseId } } }],
  };
}
