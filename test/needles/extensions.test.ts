import { describe, expect, it } from 'vitest';
import { Extensions, type Extension } from '../../src/needles/extensions.ts';

const NEEDLE = '/home/';
const literal = (text: string): Extension => ({
  before: text.indexOf(NEEDLE),
  bytes: Buffer.from(text),
  meaning: { kind: 'known-home', home: text },
});
const MANY = Array.from({ length: 500 }, (_, user) => `/home/user${user}`);

describe('extensions of a needle', () => {
  it('are all looked at where there are few', () => {
    const few = ['/home/zoe', '/srv/home/zoe'].map(literal);
    const bytes = Buffer.from('/home/max');
    expect(new Extensions(NEEDLE.length, few).at(bytes, 0, bytes.length)).toEqual(few);
  });

  it('are found by what stands behind the needle where there are many', () => {
    const all = [...MANY, '/home/user1/work', '/srv/home/user1', '/home/u'].map(literal);
    const extensions = new Extensions(NEEDLE.length, all);
    const found = (text: string, end = text.length): readonly string[] =>
      extensions
        .at(Buffer.from(text), text.indexOf(NEEDLE), end)
        .map(({ bytes }) => Buffer.from(bytes).toString())
        .toSorted();
    expect(found('x /home/user12/a')).toEqual(['/home/u', '/home/user1', '/home/user12', '/srv/home/user1']);
    expect(found('/home/user1/work')).toEqual([
      '/home/u',
      '/home/user1',
      '/home/user1/work',
      '/srv/home/user1',
    ]);
    expect(found('/home/user1', '/home/user'.length)).toEqual(['/home/u']);
    expect(found('/home/zoe')).toEqual([]);
  });
});
