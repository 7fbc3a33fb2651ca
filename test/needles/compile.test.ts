import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileNeedles } from '../../src/needles/compile.ts';
import { LIMITS } from '../../src/model/limits.ts';
import { context } from '../inspect/support.ts';

describe('compileNeedles', () => {
  it('gives the kernel no needle for homes under a root that is searched for anyway', () => {
    const alone = compileNeedles(context()).needles.length;
    const many = compileNeedles(context({ homes: ['/home/zoe', '/var/home/max', '/Users/eve/work'] }));
    expect(many.needles).toHaveLength(alone);
    const extensions = many.needles.flatMap((needle) => needle.extensions.all);
    expect(extensions.map(({ before }) => before).toSorted((a, b) => a - b)).toEqual([0, 0, 4]);
  });

  it('knows a home once, however it is written', () => {
    const set = compileNeedles(context({ homes: ['/data/zoe', '/data/zoe/', '//data/./zoe'] }));
    expect(set.homes).toEqual(['/data/zoe']);
  });

  it('takes homes and users as the bytes of their UTF-8', () => {
    const set = compileNeedles(context({ homes: ['/home/zoë'] }));
    expect(set.homes).toEqual(['/home/zo\xc3\xab']);
    expect([...set.users]).toEqual([['zo\xc3\xab', '/home/zo\xc3\xab']]);
    expect(set.unusualUsers).toEqual(['zo\xc3\xab']);
  });

  it('tells users whose name has an end of its own', () => {
    const users = ['zoe', 'z.o-e', '4711', '_svc', 'zoe@corp', 'zoe smith', 'zoe-', '+zoe'];
    const set = compileNeedles(context({ homes: users.map((user) => `/home/${user}`) }));
    expect(set.unusualUsers).toEqual(['zoe@corp', 'zoe smith', 'zoe-', '+zoe']);
  });

  it('looks for a literal that is longer than a needle by its beginning', () => {
    const deep = `/data/${'deep/'.repeat(200)}`;
    const { needles } = compileNeedles(context({ homes: [`${deep}zoe`, `${deep}max`] }));
    const [needle, ...others] = needles.filter(({ extensions }) => extensions.all.length > 0);
    expect(others).toEqual([]);
    expect(needle?.bytes).toHaveLength(LIMITS.needleBytes);
    expect(needle?.meaning).toEqual({ kind: 'beginning' });
    expect(needle?.extensions.all.map(({ before, bytes }) => [before, bytes.length])).toEqual([
      [0, deep.length + 3],
      [0, deep.length + 3],
    ]);
  });

  it('reaches every literal, whatever contains what', () => {
    const component = fc.stringMatching(/^[a-z]{1,3}$/);
    const path = fc
      .array(fc.oneof(component, fc.constantFrom('home', 'store', 'Users', 'root')), {
        minLength: 2,
        maxLength: 5,
      })
      .map((parts) => `/${parts.join('/')}`);
    fc.assert(
      fc.property(fc.array(path, { maxLength: 6 }), fc.array(path, { maxLength: 3 }), (homes, aliases) => {
        const set = compileNeedles(context({ homes, aliases }));
        const reached = new Set<string>();
        for (const { text, extensions } of set.needles) {
          reached.add(text);
          for (const { before, bytes } of extensions.all) {
            const literal = Buffer.from(bytes).toString('latin1');
            expect(literal.slice(before, before + text.length)).toBe(text);
            reached.add(literal);
          }
        }
        for (const literal of [...set.homes, ...set.aliases]) expect(reached).toContain(literal);
      }),
    );
  });
});
