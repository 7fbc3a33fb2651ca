import { expect, it } from 'vitest';
import { Turns } from '../../src/admission/turns.ts';

it('one at a time under a name, in the order they came, and a failure stops nobody', async () => {
  const turns = new Turns();
  const told: string[] = [];
  const act =
    (name: string, fails = false) =>
    async (): Promise<string> => {
      told.push(`${name} begins`);
      await new Promise((resolve) => setImmediate(resolve));
      told.push(`${name} ends`);
      if (fails) throw new Error(name);
      return name;
    };
  const all = await Promise.allSettled([
    turns.take('a', act('first', true)),
    turns.take('a', act('second')),
    turns.take('b', act('other')),
  ]);
  expect(all.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'fulfilled']);
  expect(told.indexOf('second begins')).toBeGreaterThan(told.indexOf('first ends'));
  expect(told.indexOf('other begins')).toBeLessThan(told.indexOf('first ends'));
});
