import * as fc from 'fast-check';
import { CARRIERS, GAP_REASONS, RULES, SEVERITIES } from '../../src/model/facts.ts';
import { FAILURE_MODES, FOREIGN_HOME_MODES } from '../../src/policy/admission.ts';
import { canBeWaived } from '../../src/policy/baseline.ts';
import { FULL_MODES, GUARD_MODES, INCOMPLETE_MODES } from '../../src/policy/gate.ts';
import { GROUP_NAMES } from '../../src/policy/groups.ts';
import type { Policy, Waiver } from '../../src/policy/policy.ts';

const REASONS = GAP_REASONS.filter((reason) => canBeWaived({ reason }));

const maybe = <T>(values: fc.Arbitrary<T>) => fc.option(values, { nil: null });
const some = <T>(values: fc.Arbitrary<T>) => fc.array(values, { maxLength: 3 });

const glob = fc
  .array(fc.constantFrom('bin', '/', '*', '**', '?', '\\*', '\\xff', 'ż "quoted" \'x\'', '\t', '#', 'a'), {
    maxLength: 5,
  })
  .map((parts) => parts.join(''));

const line = fc.constantFrom('upstream', 'ticket #12: "x" \\ y', 'zażółć 🙂', "it's '''known'''");

const day = fc
  .date({ min: new Date('2000-01-01'), max: new Date('2099-12-31'), noInvalidDate: true })
  .map((date) => date.toISOString().slice(0, 10));

/** Waivers as a policy file can hold them. */
const anyWaiver: fc.Arbitrary<Waiver> = fc
  .record({
    place: fc.constant(''),
    rule: fc.constantFrom(...RULES),
    reason: fc.constantFrom(...REASONS),
    ofGap: fc.boolean(),
    carrier: maybe(fc.constantFrom(...CARRIERS)),
    output: maybe(glob),
    entry: glob,
    container: maybe(some(glob)),
    home: maybe(glob),
    alias: maybe(glob),
    blake3: maybe(fc.constantFrom('0123456789abcdef'.repeat(4), 'f'.repeat(64))),
    because: line,
    expires: maybe(day),
    by: maybe(line),
  })
  .map(({ ofGap, rule, reason, ...waiver }) =>
    ofGap
      ? { ...waiver, rule: null, reason, carrier: null, home: null, alias: null }
      : { ...waiver, rule, reason: null },
  );

const directory = fc.constantFrom('/gpfs/u17', '/chroot', '/srv/zażółć', '/a b/"c"');

const listEdit = (item: fc.Arbitrary<string>) => fc.record({ add: some(item), remove: some(item) });

const command = fc.constantFrom([], ['/bin/notify'], ['/opt/hook "x"', '--to', 'http://a', '']);

/** Policies as a policy file can hold them. */
export const anyPolicy: fc.Arbitrary<Policy> = fc
  .record({
    facts: fc.record({
      homes: some(fc.constantFrom('/home/zoe', '/srv/people/ż')),
      aliases: some(directory),
      edits: fc.record({
        allow: some(directory.filter((path) => path !== '/chroot')),
        placeholders: listEdit(fc.constantFrom('alex', 'ż x')),
        imagePrefixes: listEdit(directory),
      }),
      limits: fc.record(
        {
          depth: fc.nat(64),
          expandedBytes: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
          ratio: fc.integer({ min: 1, max: 999_999 }),
          entries: fc.integer({ min: 1 }),
          seconds: fc.integer({ min: 1, max: 999_999 }),
        },
        { requiredKeys: [] },
      ),
    }),
    verdict: fc.record({
      severities: fc
        .array(
          fc.tuple(
            fc.constantFrom(...RULES),
            fc.constantFrom(...GROUP_NAMES),
            fc.constantFrom(...SEVERITIES),
          ),
          {
            maxLength: 6,
          },
        )
        .map((said) => {
          const severities: Record<string, Record<string, string>> = {};
          for (const [rule, group, severity] of said)
            severities[rule] = { ...severities[rule], [group]: severity };
          return severities;
        }),
      ignoredGaps: fc.uniqueArray(fc.constantFrom(...REASONS), { maxLength: 3 }),
      waivers: some(anyWaiver),
      strict: fc.constant(false),
    }),
    gate: fc.record({
      guard: fc.record({
        mode: fc.constantFrom(...GUARD_MODES),
        incomplete: fc.constantFrom(...INCOMPLETE_MODES),
        next: command,
        deadline: fc.integer({ min: 1, max: 999_999 }),
      }),
      quarantine: fc.record({
        keep: fc.boolean(),
        bytes: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
        full: fc.constantFrom(...FULL_MODES),
      }),
      notify: fc.record({
        url: maybe(fc.constantFrom('https://hooks.example/nar-scan', 'http://[::1]:8080/')),
        command,
      }),
    }),
    admission: fc.record({
      foreignHome: maybe(fc.constantFrom(...FOREIGN_HOME_MODES)),
      onFailure: fc.constantFrom(...FAILURE_MODES),
      trustedKeys: some(
        fc
          .uint8Array({ minLength: 32, maxLength: 32 })
          .map((key) => `a-1:${Buffer.from(key).toString('base64')}`),
      ),
      anonymousRead: fc.boolean(),
      keepReceived: fc.integer({ min: 1, max: 8760 }),
      maxNar: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
      publicUrl: maybe(fc.constantFrom('https://cache.example.org', 'http://[::1]:8080/nix')),
    }),
  })
  .map(({ facts, ...policy }) => {
    const digests = policy.verdict.waivers.some(({ blake3 }) => blake3 !== null);
    return { ...policy, facts: { ...facts, digests } };
  });
