import { createHash } from 'node:crypto';
import { spawn } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Staging, type Staged } from '../../../src/guard/copy/staging.ts';
import { narHashText } from '../../../src/nix/narHash.ts';
import { parseNarInfo } from '../../../src/nix/narinfo.ts';
import { pathInfo } from '../../support/closures.ts';
import { makeTree } from '../../support/diskTree.ts';
import { directory, file, nar } from '../../support/narWriter.ts';

const HASH = '0123456789abcdfghijklmnpqrsvwxyz';
const PATH = `/nix/store/${HASH}-tool`;
const TREE = directory(['a', file('a'.repeat(3_000_000))], ['b', file('b', true)]);
const BYTES = nar(TREE);
const NAR_HASH = narHashText(createHash('sha256').update(BYTES).digest());

let folder: string;
let staged: Staged;
const { signal } = new AbortController();

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'nar-scan-staging-'));
  makeTree(join(folder, 'tool'), TREE);
  const info = { ...pathInfo(PATH, [PATH]), narHash: NAR_HASH, ca: 'text:x', signatures: ['k:AA=='] };
  staged = { path: join(folder, 'tool'), info, judged: NAR_HASH };
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const opened = () => Staging.open(join(folder, 'state/staging'), '/nix/store');
const left = () => readdirSync(join(folder, 'state/staging'));
const placeOf = (staging: Staging): string => staging.url.slice('file://'.length);

describe('a staging', () => {
  it('is a binary cache of what was judged, for this user alone, and gone afterwards', async () => {
    {
      using staging = opened();
      await staging.add(staged, signal);
      const place = placeOf(staging);
      expect(readFileSync(join(place, 'nar', `${HASH}.nar`)).equals(BYTES)).toBe(true);
      const text = readFileSync(join(place, `${HASH}.narinfo`));
      expect(parseNarInfo(text, '/nix/store')).toEqual({
        storePath: PATH,
        url: `nar/${HASH}.nar`,
        compression: 'none',
        fileHash: NAR_HASH,
        fileSize: BYTES.length,
        narHash: NAR_HASH,
        narSize: BYTES.length,
        references: [PATH],
        deriver: null,
        signatures: ['k:AA=='],
        ca: 'text:x',
      });
      for (const path of [place, join(folder, 'state/staging')]) {
        expect(statSync(path).mode & 0o777).toBe(0o700);
      }
      staging.drop([staged.info]);
      expect(readdirSync(place).toSorted()).toEqual(['nar', 'nix-cache-info']);
      expect(readdirSync(join(place, 'nar'))).toEqual([]);
      await staging.add(staged, signal);
    }
    expect(left()).toEqual([]);
  });

  it.each([
    ['judged', { judged: `sha256:${'1'.repeat(52)}` }],
    ['registered', { info: { ...pathInfo(PATH), narHash: `sha256:${'1'.repeat(52)}` } }],
  ])('refuses what is not as it was %s', async (_what, change) => {
    using staging = opened();
    await expect(staging.add({ ...staged, ...change }, signal)).rejects.toMatchObject({
      code: 'PATH_TAMPERED',
      message: expect.stringContaining(NAR_HASH),
    });
    expect(existsSync(join(placeOf(staging), `${HASH}.narinfo`))).toBe(false);
  });

  it.each([
    ['a signature', { signatures: ['k:AA==\nNarSize: 1'] }],
    ['a deriver', { deriver: `${PATH}.drv\nCA: text:x` }],
    ['a reference', { references: [`${PATH} /nix/store/x`] }],
  ])('refuses what would make another narinfo of %s', async (_what, change) => {
    using staging = opened();
    const info = { ...staged.info, ...change };
    await expect(staging.add({ ...staged, info }, signal)).rejects.toMatchObject({ code: 'NARINFO_INVALID' });
    expect(existsSync(join(placeOf(staging), `${HASH}.narinfo`))).toBe(false);
  });

  it('refuses what has no NAR, and ends with the signal', async () => {
    using staging = opened();
    await expect(staging.add({ ...staged, path: '/dev/null' }, signal)).rejects.toMatchObject({
      code: 'TREE_NOT_SERIALISABLE',
    });
    const other = { ...staged, info: { ...staged.info, storePath: PATH.replace('0', '1') } };
    const ended = AbortSignal.abort(new Error('enough'));
    await expect(staging.add(other, ended)).rejects.toThrow('enough');
  });

  it('says where it cannot be made', () => {
    writeFileSync(join(folder, 'state'), '');
    expect(opened).toThrow(expect.objectContaining({ code: 'STATE_NOT_WRITTEN' }));
    expect(() => Staging.open(join(folder, 'a b'), '/nix/store')).toThrow(
      expect.objectContaining({ code: 'STATE_NOT_WRITTEN' }),
    );
  });

  it('leaves others alone, and removes what was left by those that are gone', async () => {
    using mine = opened();
    const program = `
      import { Staging } from ${JSON.stringify(join(import.meta.dirname, '../../../src/guard/copy/staging.ts'))};
      const staging = Staging.open(${JSON.stringify(join(folder, 'state/staging'))}, '/nix/store');
      console.log(staging.url);
      setInterval(() => undefined, 1000);`;
    const other = spawn(process.execPath, ['--input-type=module', '-e', program]);
    const url = await new Promise<string>((resolve) =>
      other.stdout.once('data', (bytes: Buffer) => resolve(bytes.toString().trim())),
    );
    const place = url.slice('file://'.length);
    using third = opened();
    expect([placeOf(mine), placeOf(third), place].every((path) => existsSync(path))).toBe(true);
    other.kill('SIGKILL');
    await new Promise((resolve) => other.once('exit', resolve));
    using fourth = opened();
    expect(existsSync(place)).toBe(false);
    expect([placeOf(mine), placeOf(third), placeOf(fourth)].every((path) => existsSync(path))).toBe(true);
    expect(left()).toHaveLength(6);
  });

  it.each(['...lock', '..lock', '.lock', 'other.lock'])('removes nothing for a file called %s', (name) => {
    const staging = join(folder, 'state/staging');
    mkdirSync(join(staging, 'other'), { recursive: true });
    writeFileSync(join(folder, 'state/audit.jsonl'), '');
    writeFileSync(join(staging, name), '');
    opened()[Symbol.dispose]();
    expect(existsSync(join(folder, 'state/audit.jsonl'))).toBe(true);
    expect(left().toSorted()).toEqual([name, 'other'].toSorted());
  });

  it('is made private where its folder was not', () => {
    mkdirSync(join(folder, 'state/staging'), { recursive: true });
    chmodSync(join(folder, 'state/staging'), 0o755);
    opened()[Symbol.dispose]();
    expect(statSync(join(folder, 'state/staging')).mode & 0o777).toBe(0o700);
  });
});
