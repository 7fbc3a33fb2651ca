import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Refused, refusalAnswer } from '../../../src/admission/judgement/refusal.ts';
import type { OutputFacts } from '../../../src/model/facts.ts';
import { finding, gap } from '../../report/madeFacts.ts';
import { CONTENT_ALONE, DENIAL, foreign, NAR_HASH, PATH, rulingOn, STORE_PATH } from './rulings.ts';

const SENT: Refused = {
  storePath: STORE_PATH,
  narHash: NAR_HASH,
  id: '0123456789abcdef',
  publicUrl: 'https://cache.example.org',
};
const STRICTNESS = { strict: false };

const at = (entry: string, container: readonly string[] = []) => ({
  entry,
  container,
  offset: 7,
  outerOffset: 7,
});
const leak = finding({ leak: '/home/noamyr', location: at('bin/tool') });

const answerTo = (
  facts: Partial<OutputFacts>,
  sent: Partial<Refused> = {},
  how?: Parameters<typeof rulingOn>[2],
) =>
  refusalAnswer(
    rulingOn(facts, { ...PATH, narHash: sent.narHash === undefined ? NAR_HASH : sent.narHash }, how),
    { ...SENT, ...sent },
    STRICTNESS,
  );

describe('the line of a refusal', () => {
  it.each([
    [
      'a leak in a container',
      answerTo({
        findings: [finding({ leak: '/home/noamyr', location: at('lib/x.jar', ['in.jar', 'A.class']) })],
      }),
    ],
    [
      'several leaks and a gap, of content whose store path nobody has told',
      refusalAnswer(
        rulingOn(
          { findings: [{ ...leak, more: 3 }, foreign()], gaps: [gap('x.rar', 'rar is not opened')] },
          CONTENT_ALONE,
        ),
        { ...SENT, storePath: null },
        STRICTNESS,
      ),
    ],
    [
      'an alias in a runpath',
      answerTo({
        findings: [
          finding({
            rule: 'store-alias',
            carrier: 'runpath',
            alias: '/home/noamyr/nix/store',
            leak: '/home/noamyr/nix/store',
            location: at('lib/libx.so'),
          }),
        ],
      }),
    ],
    ['another encoding', answerTo({ findings: [{ ...leak, encoding: 'base64' }] }, { publicUrl: null })],
    ['a home that is held', answerTo({ findings: [foreign()] })],
    ['a gap', answerTo({ gaps: [gap('share/x.zip', 'a member is encrypted', 'encrypted')] })],
    [
      'what is no NAR',
      answerTo(
        { gaps: [gap('', 'NAR_BAD_NAME: at 4711: a name is ..', 'malformed-nar')] },
        { storePath: null, narHash: null },
      ),
    ],
    ['what has no hash', answerTo({}, { narHash: null, id: null })],
    ['a denial', answerTo({ findings: [leak] }, { id: null }, { denial: DENIAL })],
    [
      'hostile names',
      answerTo(
        { findings: [{ ...leak, location: at('a\x1b[2J\n\xe2\x80\xae\xff', ['\xc5\xbc\r\n']) }] },
        { id: null },
      ),
    ],
  ])('for %s', (_, { status, line }) => {
    expect(`${status} ${line}`).toMatchSnapshot();
  });

  it('has one line of printable ASCII of less than 1,000 bytes, with the page where there is one', () => {
    const bytes = fc
      .string({ unit: 'binary', maxLength: 600 })
      .map((text) => Buffer.from(text).toString('latin1'));
    fc.assert(
      fc.property(
        bytes,
        fc.array(bytes, { maxLength: 4 }),
        bytes,
        fc.string({ unit: 'binary', maxLength: 4000 }),
        fc.boolean(),
        (entry, container, home, text, denied) => {
          const facts = {
            findings: home === '' ? [] : [{ ...leak, home, location: at(entry, container) }],
            gaps: [gap(entry, text)],
          };
          const denial = { ...DENIAL, reason: text, actor: text };
          const { line } = answerTo(
            facts,
            { publicUrl: `https://${'a'.repeat(60)}.example.org` },
            denied ? { denial } : {},
          );
          expect(line).toMatch(/^nar-scan: [ -~]{1,989}$/);
          expect(line).toContain('/review/outputs/0123456789abcdef');
        },
      ),
    );
  });
});
