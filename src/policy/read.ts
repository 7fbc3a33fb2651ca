import { NarScanError } from '../model/errors.ts';
import type { Rule } from '../model/facts.ts';
import { sizeOf } from '../model/size.ts';
import type { ListEdit } from '../needles/ruleLists.ts';
import { admissionOf } from './admission.ts';
import { gateOf } from './gate.ts';
import type { Policy, Severities, Waiver } from './policy.ts';
import { POLICY_SCHEMA, type PolicyText, type WaiverText } from './schema.ts';
import { type DocumentFaults, examineDocument, firstFault } from './tomlDocument.ts';
import type { TomlLines } from './tomlLines.ts';

/** A policy, or what is wrong with it, in the order of the lines. */
export type ExaminedPolicy =
  | { readonly policy: Policy; readonly faults: readonly [] }
  | { readonly policy: null; readonly faults: DocumentFaults };

/**
 * Reads the text of a policy file. All of it is checked before any of it counts.
 * @param name of the file, for messages and for the places of its waivers
 */
export function examinePolicy(bytes: Uint8Array, name: string): ExaminedPolicy {
  const examined = examineDocument(bytes, { schema: POLICY_SCHEMA, kind: 'a policy' });
  if (examined.content === null) return { policy: null, faults: examined.faults };
  return { policy: policyOf(examined.content, name, examined.lines), faults: [] };
}

/**
 * The policy that a file holds.
 * @throws NarScanError POLICY_INVALID, naming file, line and key of the first fault
 */
export function parsePolicy(bytes: Uint8Array, name: string): Policy {
  const { policy, faults } = examinePolicy(bytes, name);
  if (policy !== null) return policy;
  throw new NarScanError('POLICY_INVALID', firstFault(name, faults));
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
