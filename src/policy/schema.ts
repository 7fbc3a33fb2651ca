import { TomlDate } from 'smol-toml';
import * as z from 'zod/mini';
import { CARRIERS, GAP_REASONS, RULES, SEVERITIES } from '../model/facts.ts';
import { LIMITS } from '../model/limits.ts';
import { sizeOf } from '../model/size.ts';
import { dayStart } from '../model/when.ts';
import { FAILURE_MODES, FOREIGN_HOME_MODES } from './admission.ts';
import { FULL_MODES, GUARD_MODES, INCOMPLETE_MODES } from './gate.ts';
import { HOME_ROOTS, refuseHome } from '../needles/homes.ts';
import { canBeWaived } from './baseline.ts';
import { refuseGlob } from './glob.ts';
import { GROUP_NAMES } from './groups.ts';

const REASONS = GAP_REASONS.filter((reason) => canBeWaived({ reason }));

const LONGEST = 4096;

/** Text that a check may refuse, saying why. */
export function checked(refuse: (text: string) => string | null) {
  return z.string().check((context) => {
    const refusal = refuse(context.value);
    if (refusal !== null) context.issues.push({ code: 'custom', input: context.value, message: refusal });
  });
}

const line = (text: string): string | null => {
  if (text.trim() === '') return 'is empty';
  if (text.length > LONGEST) return `is longer than ${LONGEST} characters`;
  return /[\n\r]/.test(text) ? 'is more than one line' : null;
};

const directory = (text: string): string | null => {
  if (!text.startsWith('/')) return 'is not an absolute path';
  if (text.includes('\0') || text.split('/').some((part) => part === '.' || part === '..')) {
    return "holds '.', '..' or a NUL byte";
  }
  if (/\/\/|.\/$/.test(text)) return 'has a slash too many';
  if (text.length > LONGEST) return `is longer than ${LONGEST} characters`;
  return text === '/' ? 'is the root directory' : null;
};

const allowed = (text: string): string | null => {
  const refusal = directory(text);
  if (refusal !== null) return refusal;
  const wide = text.lastIndexOf('/') === 0 || (HOME_ROOTS as readonly string[]).includes(text);
  return wide ? 'would allow everybody’s home' : null;
};

const userName = (text: string): string | null =>
  /^[^/\0\n\r]{1,64}$/u.test(text) ? null : 'is no name of a user';

const glob = checked(refuseGlob);

const blake3 = checked((text) =>
  /^[0-9a-f]{64}$/.test(text) ? null : 'is no BLAKE3: 64 digits as b3sum prints them',
);

const severity = z.enum(SEVERITIES);
const ofGroups = z.strictObject(
  Object.fromEntries(GROUP_NAMES.map((name) => [name, z.optional(severity)] as const)),
);

const whole = (least: number, most: number) => {
  const refusal = `is no whole number from ${least} to ${most}`;
  return z.number().check((context) => {
    const { value } = context;
    if (Number.isInteger(value) && value >= least && value <= most) return;
    context.issues.push({ code: 'custom', input: value, message: refusal });
  });
};

const size = z.union([
  whole(1, Number.MAX_SAFE_INTEGER),
  checked((text) => (sizeOf(text) === null ? 'is no size such as 500000, 512M or 16G' : null)),
]);

const listEdit = (item: z.ZodMiniType<string, string>) =>
  z.strictObject({ add: z.optional(z.array(item)), remove: z.optional(z.array(item)) });

/** A date without a time, of TOML or as text: what writes JSON or Nix has no dates. */
export const date = z.custom<TomlDate | string>(
  (value) =>
    typeof value === 'string' ? dayStart(value) !== null : value instanceof TomlDate && value.isDate(),
  { error: 'is no date such as 2027-01-31, without a time' },
);

const waiver = z
  .strictObject({
    rule: z.optional(z.enum(RULES)),
    reason: z.optional(z.enum(REASONS)),
    carrier: z.optional(z.enum(CARRIERS)),
    output: z.optional(glob),
    entry: z.optional(glob),
    container: z.optional(z.array(glob)),
    home: z.optional(glob),
    alias: z.optional(glob),
    blake3: z.optional(blake3),
    because: checked(line),
    expires: z.optional(date),
    by: z.optional(checked(line)),
  })
  .check((context) => {
    const { rule, reason, carrier, output, entry, container, home, alias, blake3: content } = context.value;
    const fault = (message: string): void => {
      context.issues.push({ code: 'custom', input: context.value, message });
    };
    if (rule === undefined && reason === undefined)
      fault('needs a rule, for findings, or a reason, for gaps');
    if (rule !== undefined && reason !== undefined) {
      fault('has both a rule, for findings, and a reason, for gaps: make two waivers of it');
    }
    const ofGap = reason !== undefined && rule === undefined;
    if (ofGap && (carrier ?? home ?? alias) !== undefined) fault('a gap has no carrier, home or alias');
    if ((output ?? entry ?? container ?? home ?? alias ?? content) === undefined) {
      fault(
        'needs one of output, entry, container, home, alias and blake3: to change a whole rule use [rules] or [gaps]',
      );
    }
  });

/** Words that a program is started by: its absolute path and its arguments. */
const program = (text: string): string | null => {
  if (text.includes('\0')) return 'holds a NUL byte';
  return text.length > LONGEST ? `is longer than ${LONGEST} characters` : null;
};
const command = z.array(checked(program)).check((context) => {
  const [first] = context.value;
  const refusal =
    first === undefined ? 'is empty' : first.startsWith('/') ? null : 'does not begin with an absolute path';
  if (refusal !== null) context.issues.push({ code: 'custom', input: context.value, message: refusal });
});

const webhook = (text: string): string | null => {
  if (text.length > LONGEST) return `is longer than ${LONGEST} characters`;
  const url = URL.canParse(text) ? new URL(text) : null;
  return url !== null && /^https?:$/.test(url.protocol) ? null : 'is no http or https URL';
};

/** An Ed25519 public key as `nix-store --generate-binary-cache-key` writes it. */
const publicKey = (text: string): string | null =>
  /^[^:\s\0]{1,256}:[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$/.test(text)
    ? null
    : 'is no public key such as cache.example.org-1: and 44 characters of base 64';

const origin = (text: string): string | null => {
  const refusal = webhook(text);
  if (refusal !== null) return refusal;
  const { username, password, search, hash } = new URL(text);
  return username + password + search + hash === '' && !/[?#]/.test(text)
    ? null
    : 'has a user, a query or a fragment';
};

/** What a policy file may hold. What is not named here is an error. */
export const POLICY_SCHEMA = z.strictObject({
  homes: z.optional(z.array(checked(refuseHome))),
  aliases: z.optional(z.array(checked(directory))),
  allow: z.optional(z.array(checked(allowed))),
  placeholders: z.optional(listEdit(checked(userName))),
  'image-prefixes': z.optional(listEdit(checked(directory))),
  rules: z.optional(
    z.strictObject(
      Object.fromEntries(RULES.map((rule) => [rule, z.optional(z.union([severity, ofGroups]))] as const)),
    ),
  ),
  limits: z.optional(
    z.strictObject({
      depth: z.optional(whole(0, LIMITS.containerDepthMost)),
      expanded: z.optional(size),
      ratio: z.optional(whole(1, 999_999)),
      members: z.optional(size),
      seconds: z.optional(whole(1, 999_999)),
    }),
  ),
  gaps: z.optional(z.strictObject({ ignore: z.optional(z.array(z.enum(REASONS))) })),
  guard: z.optional(
    z.strictObject({
      mode: z.optional(z.enum(GUARD_MODES)),
      incomplete: z.optional(z.enum(INCOMPLETE_MODES)),
      // oxlint-disable-next-line unicorn/no-thenable -- the key that people write
      then: z.optional(command),
      deadline: z.optional(whole(1, 999_999)),
    }),
  ),
  quarantine: z.optional(
    z.strictObject({
      keep: z.optional(z.boolean()),
      size: z.optional(size),
      full: z.optional(z.enum(FULL_MODES)),
    }),
  ),
  notify: z.optional(z.strictObject({ url: z.optional(checked(webhook)), command: z.optional(command) })),
  admission: z.optional(
    z.strictObject({
      foreign_home: z.optional(z.enum(FOREIGN_HOME_MODES)),
      on_failure: z.optional(z.enum(FAILURE_MODES)),
      trusted_keys: z.optional(z.array(checked(publicKey))),
      anonymous_read: z.optional(z.boolean()),
      keep_received: z.optional(whole(1, 8760)),
      max_nar: z.optional(size),
      public_url: z.optional(checked(origin)),
    }),
  ),
  waivers: z.optional(z.array(waiver)),
});

export type PolicyText = z.infer<typeof POLICY_SCHEMA>;
export type WaiverText = z.infer<typeof waiver>;
