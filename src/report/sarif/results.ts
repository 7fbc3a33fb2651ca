import { displayText } from '../../model/bytes.ts';
import type { Carrier, Finding, Gap, Location, TracedFinding } from '../../model/facts.ts';
import { type Digest, findingId, gapId } from '../ids.ts';
import { chainOf, membersOf, spotOf } from '../place.ts';
import { printableBytes, printableText } from '../printable.ts';
import { adviceOn } from '../gapAdvice.ts';
import { remedyOf } from '../remedies.ts';
import { waiverOf } from '../waived.ts';
import { gapRule, ruleIndex } from './rules.ts';
import { entryUri } from './uri.ts';

/** The output that a result belongs to. */
export interface ResultOrigin {
  /** Key of the output in `originalUriBaseIds`. */
  readonly baseId: string;
  /** How people call it. */
  readonly name: string;
}

/** Carriers whose offsets are not those of bytes of a file. */
const NOT_IN_A_FILE = new Set<Carrier>(['symlink', 'entry-name']);

/**
 * A finding as a `result` object.
 * @param strict warnings count as errors
 */
export function findingResult(
  finding: TracedFinding,
  origin: ResultOrigin,
  digest: Digest,
  strict: boolean,
): object {
  const { rule, severity, carrier, encoding, home, alias, location, evidence, marked, source } = finding;
  const what = [alias, home].filter((path) => path !== null).map(printableBytes)[0] ?? 'a build directory';
  const written = encoding === 'plain' ? '' : `, in ${encoding}`;
  const bytes = encoding === 'plain' && location.container.length === 0 ? marked[1] - marked[0] : null;
  const region = NOT_IN_A_FILE.has(carrier) ? {} : regionOf(location, bytes);
  return {
    ...ruled(rule, strict && severity === 'warning' ? 'error' : severity),
    message: message(
      `${what} leaks into ${chainOf(location)} of ${origin.name} (${carrier}${spotOf(finding)}${written}): ` +
        `${printableBytes(evidence)}. To mend it: ${remedyOf(finding)}.`,
    ),
    locations: [locationObject(location, region, origin)],
    ...fingerprints(findingId(finding, digest)),
    ...(finding.more > 0 && { occurrenceCount: 1 + finding.more }),
    suppressions: suppressions(finding),
    properties: {
      carrier,
      encoding,
      home: textOrNull(home),
      alias: textOrNull(alias),
      evidence: printableBytes(evidence),
      ...(source !== undefined && { origin: 'source', source }),
      ...placeProperties(location),
    },
  };
}

/**
 * A gap as a `result` object. It is an error, because the tools that read this know no third
 * verdict: what was not inspected must not look like what is clean.
 */
export function gapResult(gap: Gap, origin: ResultOrigin, digest: Digest): object {
  const { reason, location, detail } = gap;
  return {
    ...ruled(gapRule(reason), 'error'),
    message: message(
      `Not inspected: ${chainOf(location)} of ${origin.name}${spotOf(gap)}: ${printableText(detail)}. ` +
        `What to do: ${adviceOn(gap)}.`,
    ),
    locations: [locationObject(location, regionOf(location, null), origin)],
    ...fingerprints(gapId(gap, digest)),
    suppressions: suppressions(gap),
    properties: placeProperties(location),
  };
}

function ruled(ruleId: string, level: string): object {
  return { ruleId, ruleIndex: ruleIndex(ruleId), kind: 'fail', level };
}

/** Text of a message. Brackets before a parenthesis would be a link: what was scanned makes none. */
export function message(text: string): { readonly text: string } {
  return { text: text.replaceAll('](', '] (') };
}

/** Where in the entry, as it lies on disk. */
function regionOf({ container, outerOffset }: Location, byteLength: number | null): object {
  if (outerOffset === null) return {};
  return {
    region: { byteOffset: outerOffset, ...(byteLength !== null && container.length === 0 && { byteLength }) },
  };
}

function locationObject(location: Location, region: object, { baseId }: ResultOrigin): object {
  const { entry, container } = location;
  const member = container.at(-1);
  return {
    physicalLocation: { artifactLocation: { uri: entryUri(entry), uriBaseId: baseId }, ...region },
    ...(member !== undefined && {
      logicalLocations: [
        { name: printableBytes(member), fullyQualifiedName: membersOf(location), kind: 'member' },
      ],
    }),
  };
}

function placeProperties({ container, offset, outerOffset, section, field }: Location): object {
  return {
    container: container.map(displayText),
    offset,
    outerOffset,
    section: section ?? null,
    field: field ?? null,
  };
}

/** GitHub knows the second name only; without it alerts would come anew with each run. */
function fingerprints(id: string): object {
  return { partialFingerprints: { 'narScanId/v1': id, primaryLocationLineHash: `${id}:1` } };
}

function suppressions(fact: Finding | Gap): readonly object[] {
  const waiver = waiverOf(fact);
  return waiver === null
    ? []
    : [{ kind: 'external', status: 'accepted', justification: printableText(waiver) }];
}

function textOrNull(value: string | null): string | null {
  return value === null ? null : displayText(value);
}
