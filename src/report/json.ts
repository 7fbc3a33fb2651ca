import { bytesOfByteString, type ByteString, displayText, exactText } from '../model/bytes.ts';
import type { Location } from '../model/facts.ts';
import type { OutputResult } from '../model/report.ts';
import { type Digest, findingId, gapId } from './ids.ts';
import { printableBytes, printableJson } from './printable.ts';
import { remedyOf } from './remedies.ts';
import type { Reporter, ReportOrigin, RunSummary } from './reporter.ts';

/** Name of the report format; it changes when a reader of the old one could be misled. */
const REPORT_SCHEMA = 'nar-scan/report-v1';

/**
 * One JSON document. The verdict stands before the outputs, so their texts are kept until the end.
 * The fields and their order are those of `report.schema.json`.
 */
export function jsonReporter(origin: ReportOrigin, digest: Digest): Reporter {
  const outputs: string[] = [];
  return {
    begin: () => '',
    output(result) {
      outputs.push(`${outputs.length === 0 ? '' : ','}\n${printableJson(outputRecord(result, digest))}`);
      return '';
    },
    end: (summary) => [
      `{${fieldsOf({ schema: REPORT_SCHEMA, ...originRecord(origin), ...summaryRecord(summary) })},\n"outputs":[`,
      ...outputs,
      `${outputs.length === 0 ? '' : '\n'}],\n${fieldsOf({ unusedWaivers: summary.unusedWaivers })}}\n`,
    ],
  };
}

/** One JSON document a line: each output, then the verdict on the run. */
export function jsonLinesReporter(origin: ReportOrigin, digest: Digest): Reporter {
  const head = { schema: REPORT_SCHEMA, ...originRecord(origin) };
  return {
    begin: () => '',
    output: (result) => `${printableJson({ ...head, ...outputRecord(result, digest) })}\n`,
    end: (summary) => {
      const { unusedWaivers } = summary;
      return [`${printableJson({ ...head, ...summaryRecord(summary), unusedWaivers })}\n`];
    },
  };
}

function fieldsOf(record: object): string {
  return printableJson(record).slice(1, -1);
}

function originRecord({ tool, rules }: ReportOrigin): object {
  return { tool: { name: tool.name, version: tool.version, kernel: tool.kernel }, rules };
}

function summaryRecord({ verdict, errors }: RunSummary): object {
  return {
    verdict,
    errors: errors.map(({ code, target, message, hint }) => ({ code, target, message, hint })),
  };
}

function outputRecord(result: OutputResult, digest: Digest): object {
  const { target, storePath, narHash, verdict, findings, gaps, stats } = result;
  return {
    target,
    storePath,
    narHash,
    verdict,
    findings: findings.map((finding) => findingRecord(finding, digest)),
    gaps: gaps.map((gap) => gapRecord(gap, digest)),
    stats: {
      entries: stats.entries,
      files: stats.files,
      bytes: stats.bytes,
      expandedBytes: stats.expandedBytes,
      milliseconds: Math.round(stats.milliseconds),
    },
  };
}

function findingRecord(finding: OutputResult['findings'][number], digest: Digest): object {
  return {
    id: findingId(finding, digest),
    rule: finding.rule,
    severity: finding.severity,
    carrier: finding.carrier,
    encoding: finding.encoding,
    home: textOrNull(finding.home),
    alias: textOrNull(finding.alias),
    location: locationRecord(finding.location),
    evidence: printableBytes(finding.evidence),
    remedy: remedyOf(finding),
    waivedBy: finding.waivedBy ?? null,
    ...(finding.more > 0 && { more: finding.more }),
    ...(finding.source !== undefined && { origin: 'source', source: finding.source }),
  };
}

function gapRecord(gap: OutputResult['gaps'][number], digest: Digest): object {
  return {
    id: gapId(gap, digest),
    reason: gap.reason,
    location: locationRecord(gap.location),
    detail: gap.detail,
    waivedBy: gap.waivedBy ?? null,
  };
}

function locationRecord(location: Location): object {
  const { entry, container, offset, outerOffset, section, field, digest } = location;
  return {
    entry: displayText(entry),
    ...(exactText(entry) === null && { entryBytes: bytesOfByteString(entry).toString('base64') }),
    container: container.map(displayText),
    offset,
    outerOffset,
    section: section ?? null,
    field: field ?? null,
    ...(digest !== undefined && { blake3: digest }),
  };
}

function textOrNull(value: ByteString | null): string | null {
  return value === null ? null : displayText(value);
}
