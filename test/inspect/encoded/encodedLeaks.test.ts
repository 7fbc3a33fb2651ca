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
