import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { judgeContentAddress, parseContentAddress } from '../../src/nix/contentAddress.ts';
import { needs } from '../support/programs.ts';
import { SymlinkedStore } from '../support/realNix.ts';

const DIGEST = '0'.repeat(52);
const PATH = `/nix/store/${'0'.repeat(32)}-a`;

describe('the text of a content address', () => {
  it.each([
    [`fixed:r:sha256:${DIGEST}`, 'nar', 'sha256'],
    [`fixed:sha256:${DIGEST}`, 'flat', 'sha256'],
    [`fixed:r:sha1:${'0'.repeat(32)}`, 'nar', 'sha1'],
    [`fixed:git:sha1:${'0'.repeat(32)}`, 'git', 'sha1'],
    [`text:sha256:${DIGEST}`, 'text', 'sha256'],
    [`fixed:sha512:${'0'.repeat(103)}`, 'flat', 'sha512'],
  ])('is read: %s', (text, method, algorithm) => {
    expect(parseContentAddress(text)).toMatchObject({ method, algorithm });
  });

  it.each([
    '',
    'fixed:',
    'fixed:r:',
    `sha256:${DIGEST}`,
    `fixed:r:sha256:${DIGEST}0`,
    `fixed:r:sha256:${DIGEST}:x`,
    `fixed:r:sha1:${DIGEST}`,
    `fixed:r:__proto__:${DIGEST}`,
    `fixed:r:sha256:${'e'.repeat(52)}`,
    `fixed:x:sha256:${DIGEST}`,
    `text:sha256:${'0'.repeat(1_000_000)}`,
  ])('is refused where it is none', (text) => {
    expect(parseContentAddress(text)).toBeNull();
  });

  it('never proves a path that it does not make', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('fixed:r:sha256', 'fixed:sha256', 'text:sha256'),
        fc.subarray([PATH, `${PATH}b`, `${PATH}c`]),
        (kind, references) => {
          const address = parseContentAddress(`${kind}:${DIGEST}`);
          const info = { storePath: PATH, references, narHash: `sha256:${DIGEST}` };
          expect(address && judgeContentAddress(address, info)).toBe('wrong');
        },
      ),
    );
  });

  it('of git is not recomputed', () => {
    const address = parseContentAddress(`fixed:git:sha1:${'0'.repeat(32)}`);
    expect(
      address &&
        judgeContentAddress(address, { storePath: PATH, references: [], narHash: `sha256:${DIGEST}` }),
    ).toBe('unknown');
  });
});

describe.skipIf(!needs('nix', 'nix-store'))('paths that the real Nix has named by their content', () => {
  let store: SymlinkedStore;
  beforeAll(() => {
    store = new SymlinkedStore();
    writeFileSync(join(store.folder, 'file'), 'hello\n');
  });
  afterAll(() => store[Symbol.dispose]());

  interface Info {
    readonly narHash: string;
    readonly references: readonly string[];
    readonly ca: string;
  }
  const told = (path: string): Info & { storePath: string } => {
    // a list, or an object by path
    const printed: unknown = JSON.parse(store.run('nix', ['path-info', '--json', path]).toString());
    const [info] = Object.values(printed as Record<string, Info>);
    if (info === undefined) throw new Error(`nothing is told of ${path}`);
    return { ...info, storePath: path, narHash: store.narHash(path) };
  };
  const judged = (info: ReturnType<typeof told>): string | null => {
    const address = parseContentAddress(info.ca);
    return address && judgeContentAddress(address, info);
  };
  const line = (...args: readonly [string, ...string[]]): string =>
    store.run(args[0], args.slice(1)).toString().trim();

  it.each([
    ['nix-store --add', (): string => line('nix-store', '--add', 'file'), 'proven'],
    ['nix store add-path', (): string => line('nix', 'store', 'add-path', './file'), 'proven'],
    ['nix store add-file', (): string => line('nix', 'store', 'add-file', './file'), 'named'],
    ['--add-fixed sha512', (): string => line('nix-store', '--add-fixed', 'sha512', 'file'), 'named'],
    [
      '--recursive sha1',
      (): string => line('nix-store', '--recursive', '--add-fixed', 'sha1', 'file'),
      'named',
    ],
    [
      'builtins.toFile with references',
      (): string => {
        const text = 'builtins.toFile "text" "a ${builtins.toFile "b" "b"} ${builtins.toFile "c" "c"}"';
        return line('nix-instantiate', '--read-write-mode', '--eval', '--expr', text).replaceAll('"', '');
      },
      'named',
    ],
  ])('%s', (_name, add, worth) => {
    const info = told(add());
    expect(judged(info)).toBe(worth);
    expect(judged({ ...info, storePath: `${info.storePath}x` })).toBe('wrong');
    expect(
      judged({ ...info, references: [...info.references, `${store.storeDir}/${'0'.repeat(32)}-x`] }),
    ).toBe('wrong');
    const otherHash = judged({ ...info, narHash: `sha256:${DIGEST}` });
    expect(otherHash).toBe(worth === 'proven' ? 'wrong' : 'named');
  });

  it('make-content-addressed, with references and with its own path in it', () => {
    const leaf = store.build('leaf', 'echo 1 > $out');
    const self = store.build('self', `echo ${leaf} $out > $out`, [leaf]);
    const [made] = Object.values(
      (
        JSON.parse(
          store
            .run('nix', [
              'store',
              'make-content-addressed',
              '--json',
              self,
              '--extra-experimental-features',
              'nix-command',
            ])
            .toString(),
        ) as { rewrites: Record<string, string> }
      ).rewrites,
    ).filter((path) => path.endsWith('-self'));
    expect(judged(told(made ?? ''))).toBe('named');
    const user = told(made ?? '').references.find((path) => path.endsWith('-leaf'));
    expect(judged(told(user ?? ''))).toBe('proven');
  });
});
