/* JSON Schemas (2020-12) of the documents that the interface for programs takes and gives. */

const standing = { enum: ['clean', 'released', 'contaminated', 'held', 'incomplete', 'denied'] };
const narHash = { type: 'string', pattern: '^sha256:[0-9a-z]{52}$' };
const key = { description: 'As Nix writes one.', type: 'string', pattern: '^[^:\\s]+:[0-9A-Za-z+/]+=*$' };
const signature = { description: 'By Ed25519.', type: 'string', pattern: '^[^:\\s]+:[0-9A-Za-z+/]+=*$' };
const rules = { description: 'Fingerprint of all that the findings depend on.', type: 'string' };
const at = { type: 'string', pattern: '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z$' };
const storePath = { type: 'string', pattern: '^/' };
const homes = { type: 'array', items: { type: 'string', pattern: '^/' } };
const orNull = (schema: object): object => ({ anyOf: [schema, { type: 'null' }] });

/** An object that has all of these and nothing else. */
function exactly(properties: Readonly<Record<string, object>>): object {
  return { type: 'object', additionalProperties: false, required: Object.keys(properties), properties };
}

const decision = exactly({ record: { type: 'integer' }, by: { type: 'string' }, reason: { type: 'string' } });

const checkedOutput = exactly({
  storePath: orNull(storePath),
  narHash: orNull(narHash),
  narSize: { type: 'integer', minimum: 0 },
  standing,
  blocking: {
    description: 'Ids of the findings and gaps that stand against it.',
    type: 'array',
    items: { type: 'string' },
  },
  decision: orNull(decision),
});

export const SCHEMAS = {
  Check: exactly({
    schema: { const: 'nar-scan/check-v1' },
    verdict: standing,
    rules,
    at,
    outputs: { type: 'array', items: checkedOutput },
    statement: { description: 'What is signed: all of the above in one line.', type: 'string' },
    signature,
    publicKey: key,
    report: { description: 'A report as report.schema.json of the package has it.', type: 'object' },
  }),
  Verdict: exactly({
    schema: { const: 'nar-scan/verdict-v1' },
    storePath,
    narHash,
    verdict: standing,
    rules,
    at,
    signature: {
      ...signature,
      description: 'Over nar-scan-verdict-1;storePath;narHash;verdict;rules;at, by Ed25519.',
    },
    publicKey: key,
  }),
  Keys: exactly({
    schema: { const: 'nar-scan/keys-v1' },
    verdict: { ...key, description: 'Signs verdicts and checks, never narinfos.' },
    signing: orNull({ ...key, description: 'Signs narinfos.' }),
  }),
  Homes: exactly({ schema: { const: 'nar-scan/registered-homes-v1' }, homes }),
  HomesRequest: exactly({ homes }),
} as const;
