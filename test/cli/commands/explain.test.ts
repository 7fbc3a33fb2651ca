import { parse } from 'smol-toml';
import { describe, expect, it } from 'vitest';
import { explanation } from '../../../src/cli/commands/explain.ts';
import { ERRORS } from '../../../src/model/errors.ts';
import { CARRIERS, ENCODINGS, GAP_REASONS, RULES } from '../../../src/model/facts.ts';
import { POLICY_SCHEMA } from '../../../src/policy/schema.ts';
import { waiverExample } from '../../../src/report/topics/text.ts';
import { TOPICS } from '../../../src/report/topics/topics.ts';

describe('explain', () => {
  it('has something to say about every rule, carrier, encoding, reason of a gap and error', () => {
    const reasoned = [...RULES, ...CARRIERS, ...ENCODINGS, ...GAP_REASONS];
    const groups = ['any', 'bytes', 'structural', 'loader'];
    const codes = Object.keys(ERRORS);
    const names = TOPICS.map(({ name }) => name);
    expect(names.toSorted()).toEqual([...reasoned, ...groups, ...codes].toSorted());
    for (const code of codes) expect(explanation([code], 80)).toContain('\nHow to mend it:\n  ');
    for (const name of reasoned) {
      const text = explanation([name], 80);
      for (const heading of ['Why it is bad:', 'How it comes about:', 'How to mend it:']) {
        expect(text).toContain(`\n${heading}\n  `);
      }
      expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
    }
  });

  it('lists the carriers of a group', () => {
    expect(explanation(['loader'], 80)).toContain(
      'Its carriers:\n  rpath runpath interp macho-rpath macho-dylinker\n',
    );
  });

  it('says how to waive what can be waived', () => {
    const named = TOPICS.filter(({ waive }) => waive.length > 0).map(({ name }) => name);
    const answerable = GAP_REASONS.filter((reason) => reason !== 'internal' && reason !== 'limit-time');
    expect(named).toEqual([...RULES, ...CARRIERS, ...answerable]);
    expect(explanation(['truncated'], 80)).toContain('[[waivers]]');
    expect(explanation(['limit-time'], 80)).not.toContain('[[waivers]]');
    for (const topic of TOPICS.filter(({ waive }) => waive.length > 0)) {
      const policy = POLICY_SCHEMA.safeParse(parse(waiverExample(topic).join('\n')));
      expect(policy.error, topic.name).toBeUndefined();
    }
  });

  it('lists every topic where none is named', () => {
    const list = explanation([], 80);
    for (const { name } of TOPICS) expect(list.split(/\s+/)).toContain(name);
  });

  it('writes the names of programs as they are typed', () => {
    expect(explanation(['DECISION_UNKNOWN'], 80)).toContain('\n  nar-scan quarantine list shows');
    expect(explanation(['KEY_INVALID'], 80)).toContain('\n  nix-store --generate-binary-cache-key');
    expect(explanation(['NIX_DATABASE_LOCKED'], 80)).toContain('\n  Scan again when Nix is done.');
  });

  it('takes names in any letters, as SARIF writes them, and several', () => {
    expect(explanation(['KNOWN-HOME'], 80)).toBe(explanation(['known-home'], 80));
    expect(explanation(['not-inspected/truncated'], 80)).toBe(explanation(['truncated'], 80));
    expect(explanation(['internal'], 80)).toMatch(/^internal \(gap\)[^]*\nINTERNAL \(error\)/);
    expect(explanation(['rpath', 'base64'], 80)).toMatch(/^rpath \(carrier\)[^]*\nbase64 \(encoding\)/);
  });

  it.each([
    ['known-hom', "there is nothing to explain about 'known-hom' (did you mean known-home?)"],
    ['TARGET_MISING', "there is nothing to explain about 'TARGET_MISING' (did you mean TARGET_MISSING?)"],
    ['zzzzzzzzzz', "there is nothing to explain about 'zzzzzzzzzz'"],
    ['', "there is nothing to explain about ''"],
  ])('refuses %j with the nearest there is', (name, message) => {
    expect(() => explanation([name], 80)).toThrow(
      expect.objectContaining({ code: 'USAGE_UNKNOWN_TOPIC', message }),
    );
  });
});
