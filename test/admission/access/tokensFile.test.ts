import { chmodSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeToken } from '../../../src/admission/access/tokens.ts';
import { TokensFile } from '../../../src/admission/access/tokensFile.ts';
import type { NarScanError } from '../../../src/model/errors.ts';

const entry = (name: string): string => makeToken({ name, scopes: ['read'], homes: [], expires: null }).entry;

describe('the tokens of a file', () => {
  let folder: string;
  let path: string;
  let now: number;
  let warnings: string[];
  const warn = ({ code }: NarScanError): void => void warnings.push(code);
  const open = (): TokensFile => new TokensFile(path, warn, () => now);
  const names = (file: TokensFile): string[] => {
    now += 1000;
    return file.tokens.map(({ name }) => name);
  };

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'nar-scan-tokens-'));
    path = join(folder, 'tokens.toml');
    writeFileSync(path, entry('one'), { mode: 0o600 });
    now = 0;
    warnings = [];
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('are read anew when it is written to or replaced', () => {
    const file = open();
    expect(names(file)).toEqual(['one']);
    writeFileSync(path, entry('one') + entry('two'));
    expect(names(file)).toEqual(['one', 'two']);
    writeFileSync(join(folder, 'new'), entry('six'), { mode: 0o600 });
    renameSync(join(folder, 'new'), path);
    expect(names(file)).toEqual(['six']);
    expect(warnings).toEqual([]);
  });

  it('are none any more when the last one is taken away', () => {
    const file = open();
    writeFileSync(path, '# nobody');
    expect(names(file)).toEqual([]);
    writeFileSync(path, 'token = []');
    expect([names(file), warnings]).toEqual([[], []]);
  });

  it('are looked after again although the clock was set back', () => {
    const file = open();
    writeFileSync(path, entry('two'));
    now = -1_000_000;
    expect(file.tokens.map(({ name }) => name)).toEqual(['two']);
  });

  it('are read when what stood in the way is gone, though nobody touched the file again', () => {
    const file = open();
    chmodSync(folder, 0o770);
    writeFileSync(path, entry('two'));
    expect([names(file), names(file), warnings]).toEqual([['one'], ['one'], ['TOKENS_UNSAFE']]);
    chmodSync(folder, 0o700);
    expect(names(file)).toEqual(['two']);
  });

  it('stay what they were while it cannot be read, which is told once for each change', () => {
    const file = open();
    writeFileSync(path, 'frob');
    expect([names(file), names(file)]).toEqual([['one'], ['one']]);
    chmodSync(path, 0o666);
    expect(names(file)).toEqual(['one']);
    rmSync(path);
    expect(names(file)).toEqual(['one']);
    expect(warnings).toEqual(['TOKENS_INVALID', 'TOKENS_UNSAFE', 'TOKENS_UNREADABLE']);
    writeFileSync(path, entry('back'), { mode: 0o600 });
    expect(names(file)).toEqual(['back']);
  });

  it.each<[string, string, () => void]>([
    ['is not there', 'TOKENS_UNREADABLE', () => rmSync(path)],
    ['is none', 'TOKENS_INVALID', () => writeFileSync(path, 'frob')],
    ['holds none', 'TOKENS_INVALID', () => writeFileSync(path, '')],
    ['others may write to', 'TOKENS_UNSAFE', () => chmodSync(path, 0o602)],
    ['lies where others may put another', 'TOKENS_UNSAFE', () => chmodSync(folder, 0o777)],
    ['is too large', 'TOKENS_UNREADABLE', () => writeFileSync(path, '#'.repeat(9 * 1024 * 1024))],
  ])('are refused at the start where it %s', (_, code, spoil) => {
    spoil();
    expect(open).toThrow(expect.objectContaining({ code }));
  });
});
