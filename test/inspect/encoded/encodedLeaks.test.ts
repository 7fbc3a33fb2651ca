import { describe, expect, it } from 'vitest';
import { said } from '../support.ts';
import { Search, SPELLINGS } from './support.ts';

const HASH = 'abcdfghijklmnpqrsvwxyz0123456789';
const OTHER_HASH = '9876543210zyxwvsrqpnmlkjihgfdcba';

/** Literals of every kind, each with a twin that is none: what stands around, what leaks, how that is said. */
const LITERALS: readonly {
  readonly leak: string;
  readonly text: string;
  readonly at: number;
  readonly says: string;
  readonly twins: readonly string[];
}[] = [
  {
    leak: 'a known home',
    text: 'x = "/home/build/src"',
    at: 5,
    says: 'error known-home bytes /home/build -',
    twins: ['a/home/buildroot', 'spirit/home/qi.hpp', '"homepage"'],
  },
  {
    leak: 'a known home that nothing ends',
    text: '/home/build',
    at: 0,
    says: 'error known-home bytes /home/build -',
    twins: ['a/home/buildx'],
  },
  {
    leak: 'a known home under no root',
    text: '-L/gpfs/u17/lib',
    at: 2,
    says: 'error known-home bytes /gpfs/u17 -',
    twins: ['-L/gpfs/u171/lib', '/gpfs/u1/7'],
  },
  {
    leak: 'a known home of one short component',
    text: 'I=/u/q/lib',
    at: 2,
    says: 'error known-home bytes /u/q -',
    twins: ['I=/u/qq/lib'],
  },
  {
    leak: 'a home that nobody knows',
    text: 'at /home/zoe/x.c:1',
    at: 3,
    says: 'warning foreign-home bytes /home/zoe -',
    twins: ['at a/home/zoe/x.c:1', 'https://example.com/home/zoe'],
  },
  {
    leak: 'a home of a Mac',
    text: 'at /Users/zoe/x.c:1',
    at: 3,
    says: 'warning foreign-home bytes /Users/zoe -',
    twins: ['chrome/Users/zoe'],
  },
  {
    leak: 'a home of Windows',
    text: 'at C:\\Users\\zoe\\x.c:1',
    at: 3,
    says: 'warning foreign-home bytes C:\\Users\\zoe -',
    twins: ['at CC:\\Users\\zoe', 'at \\Users\\zoe'],
  },
  {
    leak: "root's home",
    text: ' /root/.cache ',
    at: 1,
    says: 'warning root-home bytes /root -',
    twins: ['a/root/.cache', '/rootfs/x'],
  },
  {
    leak: 'a directory of builds',
    text: ' /nix/var/nix/builds/nix-1-2/x ',
    at: 1,
    says: 'note build-dir bytes - -',
    twins: ['/nix/var/nix/buildsx'],
  },
  {
    leak: 'an older directory of builds',
    text: ' /tmp/nix-build-hello.drv-0/x ',
    at: 1,
    says: 'note build-dir bytes - -',
    twins: ['/tmp/nix-builder'],
  },
  {
    leak: 'an alias by its shape',
    text: ` /data/nix/store/${HASH}-x `,
    at: 1,
    says: 'error store-alias bytes - /data/nix/store',
    twins: [` /nix/store/${HASH}-x `, `/data/nix/store/${HASH}`],
  },
  {
    leak: 'an alias that is known',
    text: ' /scratch/9/st/x ',
    at: 1,
    says: 'error store-alias bytes - /scratch/9/st',
    twins: [' /scratch/9/stx '],
  },
  {
    leak: 'an alias before a hash part that is known',
    text: ` /elsewhere/${OTHER_HASH}-x `,
    at: 1,
    says: 'error store-alias bytes - /elsewhere',
    twins: [` /elsewhere/${OTHER_HASH.replace('z', 'y')}-x `],
  },
];

const search = new Search({
  homes: ['/home/build', '/gpfs/u17', '/u/q'],
  aliases: ['/scratch/9/st'],
  hashParts: [OTHER_HASH],
});

describe.each(SPELLINGS)('$name', ({ encoding, encode, offset }) => {
  it.each(LITERALS)('$leak', ({ text, at, says, twins }) => {
    const written = encoding === 'json-slash' && text.includes('\\') ? 'double-backslash' : encoding;
    for (const before of ['', '====', '========']) {
      const content = Buffer.concat([Buffer.from(before), encode(text), Buffer.from('!!!!')]);
      const findings = search.findings(content);
      expect(findings.map((finding) => [finding.encoding, finding.offset, said(finding)])).toEqual([
        [written, before.length + offset(at, text), says],
      ]);
    }
    for (const twin of twins) expect(search.findings(encode(twin)).map(said)).toEqual([]);
  });
});

it('a short home with letters beyond ASCII is found whether they are escaped or not', () => {
  const found = new Search({ homes: ['/q/łukasz'] });
  for (const text of [
    '%2Fq%2F%C5%82ukasz',
    '%2fq%2fłukasz',
    '\\/q\\/\\u0142ukasz',
    '\\u002fq\\u002f\\u0142ukasz',
  ]) {
    expect(found.findings(Buffer.from(`"${text}"`)).map(({ rule }) => rule)).toEqual(['known-home']);
  }
});

describe('one leak is told once', () => {
  it.each([
    ['a home with a store in it', `"%2Fhome%2Fbuild%2Fnix%2Fstore%2F${HASH}-x"`, 'percent', '/home/build'],
    ['a home that is escaped in part', '"%2Fhome/build/x"', 'percent', '/home/build'],
    ['a home whose last slash is escaped', '"/home%2Fbuild%2Fx"', 'percent', '/home/build'],
    ['a home of which all is escaped', '"%2F%68%6f%6d%65%2F%62%75%69%6c%64"', 'percent', '/home/build'],
    ['a home that is escaped behind its name', '"/home/build%2Fx"', 'plain', '/home/build'],
    ['a home behind an escaped slash', '"\\/home/kim/x"', 'json-slash', '/home/kim'],
    ['letters beyond ASCII', '"\\/home\\/zo\\u00eb\\/x"', 'json-slash', '/home/zo\xc3\xab'],
    ['Windows, quoted twice', '"C:\\\\\\\\Users\\\\\\\\kim\\\\\\\\x"', 'double-backslash', 'C:\\Users\\kim'],
    ['Windows, escaped by percent', '"C:%5CUsers%5Ckim%5Cx"', 'percent', 'C:\\Users\\kim'],
  ])('%s', (_name, text, encoding, home) => {
    const found = search.findings(text).map((each) => [each.encoding, each.offset, each.home]);
    expect(found).toEqual([[encoding, 1, home]]);
  });

  it('with decoded evidence, marked', () => {
    const [found] = search.findings('see%20%2Fhome%2Fbuild%2Fsrc now');
    expect(found).toMatchObject({ evidence: 'see /home/build/src now', marked: [4, 15], offset: 6 });
  });
});
