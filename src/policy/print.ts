import { stringify, TomlDate } from 'smol-toml';
import type { ListEdit } from '../needles/ruleLists.ts';
import { gateTables } from './gate.ts';
import type { Policy, Waiver } from './policy.ts';

/** A policy as TOML that reads back as the same policy; what is as built in is left out. */
export function policyToml({ facts, verdict, gate }: Policy): string {
  const { guard, quarantine, notify } = gateTables(gate);
  const { homes, aliases, edits, limits } = facts;
  return stringify(
    named({
      homes: someOf(homes),
      aliases: someOf(aliases),
      allow: someOf(edits.allow),
      placeholders: editOf(edits.placeholders),
      'image-prefixes': editOf(edits.imagePrefixes),
      rules: verdict.severities,
      limits: named({
        depth: limits.depth,
        expanded: limits.expandedBytes,
        ratio: limits.ratio,
        members: limits.entries,
        seconds: limits.seconds,
      }),
      gaps: named({ ignore: someOf(verdict.ignoredGaps) }),
      guard: named(guard),
      quarantine: named(quarantine),
      notify: named(notify),
      waivers: someOf(verdict.waivers.map(waiverRecord)),
    }),
  );
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

function editOf({ add, remove }: ListEdit): object {
  return named({ add: someOf(add), remove: someOf(remove) });
}

function someOf<T>(items: readonly T[]): readonly T[] | undefined {
  return items.length === 0 ? undefined : items;
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
