import { createHash, randomBytes } from 'node:crypto';
import * as z from 'zod/mini';
import { NarScanError } from '../../model/errors.ts';
import { LIMITS } from '../../model/limits.ts';
import { dayStart } from '../../model/when.ts';
import { refuseHome } from '../../needles/homes.ts';
import { checked, date } from '../../policy/schema.ts';
import { examineDocument, firstFault } from '../../policy/tomlDocument.ts';
import { refuseTokenName, type Scope, SCOPES } from '../contracts.ts';

/** Somebody's right to do something, by a secret that only they know. */
export interface Token {
  readonly name: string;
  /** SHA-256 of the secret. */
  readonly digest: Buffer;
  readonly scopes: ReadonlySet<Scope>;
  readonly homes: readonly string[];
  /** Milliseconds since 1970 from which on it counts no more; null: never. */
  readonly expires: number | null;
}

/** What is said of a token that is made. */
export type NewToken = Pick<Token, 'name' | 'homes'> & {
  readonly scopes: readonly Scope[];
  /** Such as `2027-01-31`; null: never. */
  readonly expires: string | null;
};

/** Shows what it is where one is found in a place that it should not be in. */
const SECRET_PREFIX = 'nst_';
const SECRET_BYTES = 32;
const SECRET = /^nst_[A-Za-z0-9_-]{43}$/;

/**
 * Whether a text has the form of the secrets that are made here. Others are not looked at: these have 256 random bits,
 * so that one round of SHA-256 is enough to keep them, where a password that a person chose would take a slow hash.
 */
export function isSecret(text: string): boolean {
  return SECRET.test(text);
}

/** SHA-256 of a secret, as the tokens file has it. */
export function digestOfSecret(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}

/** Makes a secret, and the entry of the tokens file for it. */
export function makeToken({ name, scopes, homes, expires }: NewToken): { secret: string; entry: string } {
  const secret = SECRET_PREFIX + randomBytes(SECRET_BYTES).toString('base64url');
  // JSON's strings are TOML's, too
  const list = (values: readonly string[]): string =>
    `[${values.map((value) => JSON.stringify(value)).join(', ')}]`;
  const lines = [
    '[[token]]',
    `name = ${JSON.stringify(name)}`,
    `secret = "sha256:${digestOfSecret(secret).toString('hex')}"`,
    `scopes = ${list(scopes)}`,
    ...(homes.length === 0 ? [] : [`homes = ${list(homes)}`]),
    ...(expires === null ? [] : [`expires = ${expires}`]),
  ];
  return { secret, entry: `${lines.join('\n')}\n` };
}

/** What is wrong with a secret is told without it: somebody may have written down the secret itself. */
const secret = z.string().check((context) => {
  if (/^sha256:[0-9a-f]{64}$/.test(context.value)) return;
  const message = 'is not sha256: and 64 digits, as nar-scan token new prints it';
  context.issues.push({ code: 'custom', input: context.value, message, params: { secret: true } });
});

const token = z.strictObject({
  name: checked(refuseTokenName),
  secret,
  scopes: z.array(z.enum(SCOPES)).check((context) => {
    if (context.value.length > 0) return;
    context.issues.push({ code: 'custom', input: context.value, message: 'is empty' });
  }),
  homes: z.optional(z.array(checked(refuseHome))),
  expires: z.optional(date),
});

/** What a tokens file may hold. */
const TOKENS = z.strictObject({ token: z.optional(z.array(token)) }).check((context) => {
  const tokens = context.value.token ?? [];
  const fault = (message: string, ...path: (string | number)[]): void => {
    context.issues.push({ code: 'custom', input: context.value, message, path: ['token', ...path] });
  };
  if (tokens.length > LIMITS.tokens) fault(`has more than ${LIMITS.tokens} entries`);
  for (const key of ['name', 'secret'] as const) {
    const seen = new Set<string>();
    for (const [index, { [key]: value }] of tokens.entries()) {
      if (seen.has(value)) fault(`has the ${key} of another`, index);
      seen.add(value);
    }
  }
  for (const [index, { homes = [] }] of tokens.entries()) {
    if (homes.length > LIMITS.registeredHomes) fault(`has more than ${LIMITS.registeredHomes} homes`, index);
  }
});

/**
 * The tokens that a file holds; it may hold none. Unsafe homes, unknown scopes, names and secrets that stand twice are refused.
 * @param name of the file, for messages
 * @throws NarScanError TOKENS_INVALID, naming file, line and key of the first fault
 */
export function parseTokens(bytes: Uint8Array, name: string): readonly Token[] {
  const { content, faults } = examineDocument(bytes, { schema: TOKENS, kind: 'a tokens file' });
  if (content === null) throw new NarScanError('TOKENS_INVALID', firstFault(name, faults));
  const { token: tokens = [] } = content;
  return tokens.map(({ name, secret, scopes, homes = [], expires }) => ({
    name,
    digest: Buffer.from(secret.slice('sha256:'.length), 'hex'),
    scopes: allOf(scopes),
    homes,
    expires:
      expires === undefined
        ? null
        : ((typeof expires === 'string' ? dayStart(expires) : expires)?.getTime() ?? 0),
  }));
}

/** `admin` includes what people do, never what vouches for a build. */
function allOf(scopes: readonly Scope[]): ReadonlySet<Scope> {
  return new Set(scopes.includes('admin') ? [...scopes, 'read', 'push', 'review'] : scopes);
}
