import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { credentialsOf } from '../../../src/admission/storage/credentials.ts';

const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;

describe('credentials of an upstream', () => {
  let folder: string;
  let netrc: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'nar-scan-netrc-'));
    netrc = join(folder, 'netrc');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('come from the URL before netrc', () => {
    writeFileSync(netrc, 'machine cache login a password b');
    expect(credentialsOf(new URL('http://noamyr:p%40ss@cache/'), netrc)).toBe(basic('noamyr:p@ss'));
    expect(credentialsOf(new URL('http://noamyr:50%@cache/'), netrc)).toBe(basic('noamyr:50%'));
    expect(credentialsOf(new URL('http://cache:8080/x'), netrc)).toBe(basic('a:b'));
    expect(credentialsOf(new URL('http://other/'), netrc)).toBeNull();
  });

  it('are none without a netrc, and an error with one that cannot be read', () => {
    expect(credentialsOf(new URL('http://cache/'), netrc)).toBeNull();
    writeFileSync(netrc, '');
    truncateSync(netrc, 2 * 1024 * 1024);
    expect(() => credentialsOf(new URL('http://cache/'), netrc)).toThrow('too long');
    expect(() => credentialsOf(new URL('http://cache/'), folder)).toThrow('EISDIR');
  });
});
