import { parse, TomlError } from 'smol-toml';
import type * as z from 'zod/mini';
import { NarScanError } from '../model/errors.ts';
import type { Rule } from '../model/facts.ts';
import { nearest } from '../model/nearest.ts';
import { sizeOf } from '../model/size.ts';
import type { ListEdit } from '../needles/ruleLists.ts';
import { admissionOf } from './admission.ts';
import { gateOf } from './gate.ts';
import type { Policy, Severities, Waiver } from './policy.ts';
import { keysAt, POLICY_SCHEMA, type PolicyText, type WaiverText } from './schema.ts';
import { type KeyPath, type TomlLines, tomlLines } from './tomlLines.ts';

/** Something wrong in a policy file. */
interface PolicyFault {
  readonly line: number;
  /** Key and what is wrong with it. */
  readonly message: string;
}

/** A policy, or what is wrong with it, in the order of the lines. */
export type ExaminedPolicy =
  | { readonly policy: Policy; readonly faults: readonly [] }
  | { readonly policy: null; readonly faults: readonly [PolicyFault, ...PolicyFault[]] };

/** Characters of a wrong value that are shown. */
const SHOWN = 64;

/** Deeper than any policy goes. */
const DEPTH = 16;

/**
 * Reads the text of a policy file. All of it is checked before any of it counts.
 * @param name of the file, for messages and for the places of its waivers
 */
export function examinePolicy(bytes: Uint8Array, name: string): ExaminedPolicy {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return refused([{ line: lineOfBadUtf8(bytes), message: 'is not UTF-8' }]);
  }
  let document: unknown;
  try {
    document = parse(text, { useLegacyDate: true, maxDepth: DEPTH, unsafeKeyBehaviour: 'throw' });
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const [message = ''] = error.message.split('\n');
    return refused([{ line: error.line, message: message.replace('Invalid TOML document', 'is no TOML') }]);
  }
  const lines = tomlLines(text);
  const checked = POLICY_SCHEMA.safeParse(document);
  const faults = lines.impossibleDates.map(({ line, text: date }) => ({
    line,
    message: `${date} is in no calendar`,
  }));
  if (!checked.success)
    faults.push(...checked.error.issues.flatMap((issue) => faultsOf(issue, document, lines)));
  if (!checked.success || faults.length > 0) return refused(faults);
  return { policy: policyOf(checked.data, name, lines), faults: [] };
}

/**
 * The policy that a file holds.
 * @throws NarScanError POLICY_INVALID, naming file, line and key of the first fault
 */
export function parsePolicy(bytes: Uint8Array, name: string): Policy {
  const { policy, faults } = examinePolicy(bytes, name);
  if (policy !== null) return policy;
  const [{ line, message }, ...others] = faults;
  const more = others.length === 0 ? '' : ` (and ${others.length} more)`;
  throw new NarScanError('POLICY_INVALID', `${name}:${line}: ${message}${more}`);
}

function refused(faults: readonly PolicyFault[]): ExaminedPolicy {
  const [first, ...others] = faults.toSorted((a, b) => a.line - b.line);
  return { policy: null, faults: [first ?? { line: 1, message: 'is no policy' }, ...others] };
}

function lineOfBadUtf8(bytes: Uint8Array): number {
  let line = 1;
  let start = 0;
  for (let at = bytes.indexOf(0x0a); at >= 0; at = bytes.indexOf(0x0a, start)) {
    if (
      !Buffer.from(bytes.buffer, bytes.byteOffset + start, at - start)
        .toString('utf8')
        .isWellFormed()
    )
      break;
    if (Buffer.from(bytes.subarray(start, at)).toString('utf8').includes('\ufffd')) break;
    line++;
    start = at + 1;
  }
  return line;
}

type Issue = z.core.$ZodIssue;

function faultsOf(issue: Issue, document: unknown, lines: TomlLines): readonly PolicyFault[] {
  const path = issue.path.filter((key) => typeof key !== 'symbol');
  const fault = (at: KeyPath, message: string): PolicyFault => ({
    line: lines.lineOf(at),
    message: `${keyText(at)}${message}`,
  });
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => {
      const near = nearest(key, keysAt(path));
      return fault([...path, key], `is no key of a policy${near === null ? '' : ` (did you mean ${near}?)`}`);
    });
  }
  if (issue.code === 'invalid_union') {
    // a value of the type of one of them is judged as such
    const fitting = issue.errors.find((errors) => errors.length > 0 && !errors.some(isOfWhole));
    const [likely] = issue.errors.filter((errors) => !errors.some(isOfType));
    const chosen = fitting ?? likely ?? [];
    if (chosen.length > 0) {
      const within = (each: Issue): Issue => ({ ...each, path: [...issue.path, ...each.path] });
      return chosen.flatMap((each) => faultsOf(within(each), document, lines));
    }
    return [fault(path, `is ${typeText(valueAt(document, path))}, which it cannot be`)];
  }
  if (issue.code === 'invalid_value') return [fault(path, valueFault(issue, valueAt(document, path)))];
  const value = valueAt(document, path);
  if (issue.code === 'invalid_type') {
    if (value === undefined) return [fault(path, 'is missing')];
    return [
      fault(path, `is ${typeText(value)} where ${EXPECTED[issue.expected] ?? issue.expected} is wanted`),
    ];
  }
  return [fault(path, `${shown(value)}${issue.message}`)];
}

/** The fault of a value as a whole, not of something in it. */
function isOfWhole({ code, path }: Issue): boolean {
  return path.length === 0 && code !== 'unrecognized_keys';
}

function isOfType({ code, path }: Issue): boolean {
  return code === 'invalid_type' && path.length === 0;
}

function valueFault(issue: z.core.$ZodIssueInvalidValue, value: unknown): string {
  if (value === undefined) return 'is missing';
  return `${shown(value)}is none of ${issue.values.map(String).join(', ')}`;
}

const EXPECTED: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  array: 'a list',
  object: 'a table',
  boolean: 'true or false',
};

function typeText(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (value instanceof Date) return 'a date';
  if (typeof value === 'string') return 'text';
  if (typeof value === 'object') return 'a table';
  return typeof value === 'boolean' ? 'true or false' : 'a number';
}

function shown(value: unknown): string {
  if (typeof value === 'number') return `${value} `;
  if (typeof value !== 'string') return '';
  const text = value.length > SHOWN ? `${value.slice(0, SHOWN)}…` : value;
  return `'${text.replace(/[\x00-\x1f\x7f]/g, ' ')}' `;
}

function valueAt(document: unknown, path: KeyPath): unknown {
  let value = document;
  for (const key of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Record<string, unknown>)[String(key)];
  }
  return value;
}

/** `waivers[1].because: `, counted from 1 as people do. */
function keyText(path: KeyPath): string {
  if (path.length === 0) return '';
  const text = path.map((key, at) =>
    typeof key === 'number' ? `[${key + 1}]` : `${at === 0 ? '' : '.'}${key}`,
  );
  return `${text.join('')}: `;
}

function policyOf(text: PolicyText, name: string, lines: TomlLines): Policy {
  const { homes = [], aliases = [], allow = [], placeholders, rules = {}, gaps, waivers = [] } = text;
  const imagePrefixes = text['image-prefixes'];
  return {
    facts: {
      homes,
      aliases,
      edits: { allow, placeholders: listEdit(placeholders), imagePrefixes: listEdit(imagePrefixes) },
      limits: limitsOf(text.limits ?? {}),
      digests: waivers.some(({ blake3 }) => blake3 !== undefined),
    },
    verdict: {
      severities: severitiesOf(rules),
      ignoredGaps: gaps?.ignore ?? [],
      waivers: waivers.map((waiver, index) =>
        waiverOf(waiver, `${name}:${lines.lineOf(['waivers', index])}`),
      ),
      strict: false,
    },
    gate: gateOf(text),
    admission: admissionOf(text),
  };
}

function listEdit(edit: { add?: string[] | undefined; remove?: string[] | undefined } = {}): ListEdit {
  return { add: edit.add ?? [], remove: edit.remove ?? [] };
}

function limitsOf(limits: NonNullable<PolicyText['limits']>): Policy['facts']['limits'] {
  const { depth, expanded, ratio, members, seconds } = limits;
  const number = (size: number | string | undefined): number | null | undefined =>
    typeof size === 'string' ? sizeOf(size) : size;
  const all = { depth, expandedBytes: number(expanded), ratio, entries: number(members), seconds };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => typeof value === 'number'));
}

function severitiesOf(rules: NonNullable<PolicyText['rules']>): Severities {
  const severities: Record<string, object> = {};
  for (const [rule, said] of Object.entries(rules)) {
    if (said !== undefined)
      severities[rule satisfies string as Rule] = typeof said === 'string' ? { any: said } : said;
  }
  return severities;
}

function waiverOf(text: WaiverText, place: string): Waiver {
  const { rule, reason, carrier, output, entry, container, home, alias, blake3, because, expires, by } = text;
  return {
    place,
    rule: rule ?? null,
    reason: reason ?? null,
    carrier: carrier ?? null,
    output: output ?? null,
    entry: entry ?? null,
    container: container ?? null,
    home: home ?? null,
    alias: alias ?? null,
    blake3: blake3 ?? null,
    because,
    expires: (typeof expires === 'string' ? expires : expires?.toISOString().slice(0, 10)) ?? null,
    by: by ?? null,
  };
}
