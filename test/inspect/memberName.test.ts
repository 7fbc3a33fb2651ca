import { describe, expect, it } from 'vitest';
import { inspectMemberName } from '../../src/inspect/memberName.ts';
import { rulesOf } from './support.ts';

const { set, classifier } = rulesOf({ homes: ['/home/noamyr'] });
const rulesIn = (name: string): readonly string[] =>
  inspectMemberName(name, set, classifier).map(
    ({ rule, severity, evidence }) => `${severity} ${rule} ${evidence}`,
  );

describe('names of members', () => {
  it.each([
    'home/noamyr/x',
    './home/noamyr',
    '/home/noamyr/',
    '../home/noamyr/x',
    'home\\noamyr\\x',
    'Users\\noamyr\\x',
    'C:\\Users\\noamyr\\x',
  ])('%s leads into a home', (name) => {
    expect(rulesIn(name)).toEqual([`error known-home ${name.replace(/^\.\//, '')}`]);
  });

  it.each(['home/noamyrx/y', 'src/home/index.html', 'home\\noamyrx', 'x\\home\\page'])(
    '%s does not',
    (name) => {
      expect(rulesIn(name).filter((line) => line.startsWith('error'))).toEqual([]);
    },
  );
});
