import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { verdictOf, verdictStatement } from '../../../src/admission/publication/verdict.ts';
import { openVerdictKey } from '../../../src/admission/publication/verdictKey.ts';
import { parsePublicKey, parseSecretKey, verifyText } from '../../../src/nix/signature.ts';

let state: string;
beforeEach(() => {
  state = mkdtempSync(join(tmpdir(), 'nar-scan-verdict-'));
});
afterEach(() => rmSync(state, { recursive: true }));

describe('the key of verdicts', () => {
  it('is made once, for its owner alone', () => {
    const key = openVerdictKey(state, null);
    expect(openVerdictKey(state, null).publicText).toBe(key.publicText);
    expect(statSync(join(state, 'verdict-key')).mode & 0o777).toBe(0o600);
  });

  it('is never the one that signs paths', () => {
    openVerdictKey(state, null);
    const own = parseSecretKey(readFileSync(join(state, 'verdict-key'), 'utf8').trim());
    expect(() => openVerdictKey(state, own)).toThrow(expect.objectContaining({ code: 'KEY_INVALID' }));
  });

  it('is not used where others can read it, and not replaced where it is damaged', () => {
    const file = join(state, 'verdict-key');
    openVerdictKey(state, null);
    chmodSync(file, 0o644);
    expect(() => openVerdictKey(state, null)).toThrow(expect.objectContaining({ code: 'STATE_UNSAFE' }));
    chmodSync(file, 0o600);
    writeFileSync(file, '');
    expect(() => openVerdictKey(state, null)).toThrow(expect.objectContaining({ code: 'KEY_INVALID' }));
    expect(readFileSync(file, 'utf8')).toBe('');
  });
});

describe('a verdict', () => {
  it('is signed over all that it says', () => {
    const key = openVerdictKey(state, null);
    const path = {
      hashPart: '0'.repeat(32),
      storePath: `/nix/store/${'0'.repeat(32)}-a`,
      narInfo: '',
      narName: '',
      narHash: `sha256:${'0'.repeat(52)}`,
      narSize: 1,
      fileHash: '',
      fileSize: 1,
      verdict: 'released',
      isUninspected: false,
      rules: 'abc',
      by: 'noamyr',
      at: 0,
    } as const;
    const { signature, publicKey, schema: _, ...said } = verdictOf(path, key);
    expect(said).toMatchObject({ verdict: 'released', at: '1970-01-01T00:00:00.000Z' });
    const holds = (text: string): boolean => verifyText(parsePublicKey(publicKey), text, signature);
    expect(holds(verdictStatement(said))).toBe(true);
    for (const field of ['storePath', 'narHash', 'verdict', 'rules', 'at'] as const) {
      expect(holds(verdictStatement({ ...said, [field]: 'clean' })), field).toBe(false);
    }
  });
});
