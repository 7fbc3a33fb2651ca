import { stringify, TomlDate } from 'smol-toml';
import { CONTAINER_LIMITS, type ContainerLimits } from '../inspect/containers/budget.ts';
import { admissionTable } from './admission.ts';
import { gateTables } from './gate.ts';
import type { Policy, Waiver } from './policy.ts';

/**
 * A policy as TOML that reads back as the same policy: every table with its values, those that are
 * built in, too. Where a value would say more than that, it stands in a comment.
 */
export function policyToml({ facts, verdict, gate, admission }: Policy): string {
  const { guard, quarantine, notify } = gateTables(gate);
  const { homes, aliases, edits, limits } = facts;
  return [
    stringify({ homes, aliases, allow: edits.allow }),
    stringify({ placeholders: edits.placeholders, 'image-prefixes': edits.imagePrefixes }),
    tableText('rules', verdict.severities, {
      others: 'as built in; README.md, "What is found"',
    }),
    tableText('limits', limitsRecord(limits), limitsRecord(CONTAINER_LIMITS)),
    stringify({ gaps: { ignore: verdict.ignoredGaps } }),
    // oxlint-disable-next-line unicorn/no-thenable -- the key that people write
    tableText('guard', guard, { then: 'nothing is started' }),
    tableText('quarantine', quarantine, {}),
    tableText('notify', notify, { url: 'nobody is told', command: 'nothing is started' }),
    tableText('admission', admissionTable(admission), {
      foreign_home: 'warn where homes of the client are known, else hold',
      public_url: 'as it listens',
    }),
    verdict.waivers.length === 0 ? '# no waivers\n' : waiversToml(verdict.waivers),
  ].join('\n');
}

/** A table with what was said in it; what was not is told in comments. */
function tableText(name: string, said: object, builtIn: Readonly<Record<string, unknown>>): string {
  const record = named({ ...said });
  const comments = Object.entries(builtIn)
    .filter(([key]) => !(key in record))
    .map(([key, value]) => `# ${key}: ${String(value)}\n`);
  const text = Object.keys(record).length === 0 ? `[${name}]\n` : stringify({ [name]: record });
  return text.replace(/\n?$/, '\n') + comments.join('');
}

function limitsRecord({ depth, expandedBytes, ratio, entries, seconds }: Partial<ContainerLimits>) {
  return { depth, expanded: expandedBytes, ratio, members: entries, seconds };
}

/** Waivers alone, to be put behind what a policy file holds. */
export function waiversToml(waivers: readonly Waiver[]): string {
  return stringify({ waivers: waivers.map(waiverRecord) });
}

/** In the order in which people write it. */
function waiverRecord(waiver: Waiver): object {
  const { rule, reason, carrier, output, entry, container, home, alias, blake3, because, expires, by } =
    waiver;
  const until = expires === null ? null : new TomlDate(expires);
  return named({
    rule,
    reason,
    carrier,
    output,
    entry,
    container,
    home,
    alias,
    blake3,
    because,
    expires: until,
    by,
  });
}

/** Without what says nothing. An empty list of members says something: that there is no container. */
function named(record: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => !isNothing(value)));
}

function isNothing(value: unknown): boolean {
  if (value === undefined || value === null) return true;
  const isTable = typeof value === 'object' && !Array.isArray(value) && !(value instanceof Date);
  return isTable && Object.keys(value).length === 0;
}
