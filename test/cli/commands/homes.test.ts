import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readArguments } from '../../../src/cli/arguments.ts';
import { homesText } from '../../../src/cli/commands/homes.ts';
import { NarScanError } from '../../../src/model/errors.ts';

let place: string;
let options: readonly string[];

beforeAll(() => {
  place = realpathSync(mkdtempSync(join(tmpdir(), 'nar-scan-homes-')));
  mkdirSync(join(place, 'pool/store'), { recursive: true });
  symlinkSync(join(place, 'pool/store'), join(place, 'store'));
  options = ['--no-host-homes', '--store-dir', join(place, 'store'), '--home', '/home/zoe'];
});

afterAll(() => rmSync(place, { recursive: true, force: true }));

const homes = (words: readonly string[], environment: NodeJS.ProcessEnv = {}): Promise<string> =>
  homesText(readArguments(['homes', ...words]), {
    XDG_CONFIG_HOME: place,
    HOME: '/home/zoe',
    ...environment,
  });

describe('nar-scan homes', () => {
  it('prints each home and place of the store, where it was found, and what is searched for', async () => {
    const { homes: found, aliases, refused } = JSON.parse(await homes([...options, '--format', 'json']));
    expect(found).toEqual([
      {
        path: '/home/zoe',
        from: 'an option or the policy',
        needles: expect.arrayContaining(['/home/zoe', '/Users/zoe', 'C:\\Users\\zoe']),
      },
    ]);
    const physical = join(place, 'pool/store');
    expect(aliases).toEqual([
      { path: physical, from: `what ${join(place, 'store')} really is`, needles: [physical] },
    ]);
    expect(refused).toEqual([]);
  });

  it('prints what was left out, and why, and nothing that a terminal would obey', async () => {
    const words = ['--store-dir', join(place, 'store'), '--home', '/home/z\u001b[31moe'];
    const text = await homes(words);
    expect(text).toMatch(/^Left out:\n/m);
    expect(text).toMatch(/^ {2}those of services: \/.*\n/m);
    expect(text).not.toContain('\u001b');
  });

  it('folds the homes of services, which every machine has many of', async () => {
    const text = await homes([]);
    expect(text).not.toContain('is that of a service');
    expect(text.match(/^ {2}those of services: .*\/root/gm)).toHaveLength(1);
    const { refused } = JSON.parse(await homes(['--format', 'json']));
    expect(refused).toContainEqual(expect.objectContaining({ path: '/root', service: true }));
  });

  it.each([
    [['--home', '/usr'], 'USAGE_BAD_HOME'],
    [['--alias', '/usr/lib'], 'USAGE_BAD_ALIAS'],
    [['--alias', '/nix'], 'USAGE_BAD_ALIAS'],
    [['--store', 'ssh://host'], 'USAGE_BAD_VALUE'],
    [['--format', 'sarif'], 'USAGE_BAD_VALUE'],
    [['/home/zoe'], 'USAGE_BAD_VALUE'],
  ])('refuses %j', async (words, code) => {
    const error: unknown = await homes(['--no-host-homes', ...words]).catch((thrown: unknown) => thrown);
    expect(error instanceof NarScanError ? error.code : error).toBe(code);
  });
});
