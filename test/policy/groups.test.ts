import { describe, expect, it } from 'vitest';
import { severityOf } from '../../src/inspect/rules/severity.ts';
import { CARRIERS } from '../../src/model/facts.ts';
import { CARRIER_GROUPS, groupsOf } from '../../src/policy/groups.ts';

describe('groups of carriers', () => {
  it('give each carrier one of bytes, structural and entry-name', () => {
    const { bytes, structural, 'entry-name': name } = CARRIER_GROUPS;
    expect([...bytes, ...structural, ...name].toSorted()).toEqual([...CARRIERS].toSorted());
  });

  it('put the narrowest first', () => {
    expect(groupsOf('rpath')).toEqual(['loader', 'structural', 'any']);
    expect(groupsOf('symlink')).toEqual(['symlink', 'structural', 'any']);
    expect(groupsOf('java-class')).toEqual(['bytes', 'any']);
  });

  it('are those that the built-in rules tell apart', () => {
    const leak = { base: 'error', home: '/home/x' } as const;
    for (const carrier of CARRIERS) {
      const groups = groupsOf(carrier);
      const foreign = severityOf({ ...leak, rule: 'foreign-home' }, carrier);
      expect(foreign, carrier).toBe(groups.includes('bytes') ? 'warning' : 'error');
      const placeholder = severityOf({ ...leak, rule: 'placeholder-home' }, carrier);
      expect(placeholder, carrier).toBe(groups.includes('loader') ? 'warning' : 'note');
    }
  });
});
