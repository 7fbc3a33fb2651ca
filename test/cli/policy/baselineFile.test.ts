import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BaselineFile } from '../../../src/cli/policy/baselineFile.ts';
import type { Waiver } from '../../../src/policy/policy.ts';

const WAIVER: Waiver = {
  place: '',
  rule: 'known-home',
  reason: null,
  carrier: null,
  output: 'hello',
  entry: 'bin/x',
  container: [],
  home: '/home/zoe',
  alias: null,
  blake3: null,
  because: 'baseline',
  expires: null,
  by: null,
};

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'nar-scan-baseline-'));
  path = join(folder, 'policy.toml');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const refused = (message: RegExp) =>
  expect.objectContaining({ code: 'BASELINE_NOT_WRITTEN', message: expect.stringMatching(message) });

describe('a file that waivers are added to', () => {
  it('is made where there is none, and not touched where there is nothing to add', () => {
    new BaselineFile(path).add([]);
    expect(readdirSync(folder)).toEqual([]);
    new BaselineFile(path).add([WAIVER]);
    expect(new BaselineFile(path).waivers).toEqual([{ ...WAIVER, place: `${path}:3` }]);
  });

  it('keeps what it holds, its mode, and the link that leads to it', () => {
    const before = '# mine\nhomes = ["/home/x"] # why';
    writeFileSync(path, before);
    chmodSync(path, 0o600);
    const link = join(folder, 'link.toml');
    symlinkSync('policy.toml', link);
    new BaselineFile(link).add([WAIVER]);
    const after = readFileSync(path, 'utf8');
    expect(after.startsWith(`${before}\n\n[[waivers]]\n`)).toBe(true);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder).toSorted()).toEqual(['link.toml', 'policy.toml']);
  });

  it.each<[string, () => void, RegExp]>([
    ['it changed meanwhile', () => writeFileSync(path, '# other'), /somebody else wrote/],
    ['it is gone', () => rmSync(path), /somebody else wrote/],
  ])('is left as it is when %s', (_what, change, message) => {
    writeFileSync(path, '');
    const file = new BaselineFile(path);
    change();
    const before = readdirSync(folder).map((name) => readFileSync(join(folder, name), 'utf8'));
    expect(() => file.add([WAIVER])).toThrow(refused(message));
    expect(readdirSync(folder).map((name) => readFileSync(join(folder, name), 'utf8'))).toEqual(before);
  });

  it('is left as it is when it would be no policy, or too large a one', () => {
    const inline = 'waivers = [{ rule = "known-home", entry = "a", because = "x" }]\n';
    writeFileSync(path, inline);
    expect(() => new BaselineFile(path).add([WAIVER])).toThrow(refused(/it would be no policy/));
    const many = Array.from({ length: 10_000 }, () => WAIVER);
    expect(() => new BaselineFile(path).add(many)).toThrow(refused(/10000 waivers are too many/));
    expect(readFileSync(path, 'utf8')).toBe(inline);
  });

  it('is never a device', () => {
    expect(() => new BaselineFile('/dev/null').add([WAIVER])).toThrow(refused(/it is no file/));
    expect(statSync('/dev/null').isCharacterDevice()).toBe(true);
  });

  it('is refused where it is no policy', () => {
    writeFileSync(path, 'frob = 1');
    expect(() => new BaselineFile(path)).toThrow(expect.objectContaining({ code: 'POLICY_INVALID' }));
  });
});
