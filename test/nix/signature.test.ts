import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseNarInfo } from '../../src/nix/narinfo.ts';
import {
  fingerprint,
  generateSecretKey,
  parsePublicKey,
  parseSecretKey,
  sameKey,
  secretKeyText,
  signerOf,
  signText,
  verifyText,
} from '../../src/nix/signature.ts';
import { needs } from '../support/programs.ts';
import { SymlinkedStore } from '../support/realNix.ts';

describe('keys', () => {
  it('are read as they are written', () => {
    const key = generateSecretKey('cache.example.org-1');
    const again = parseSecretKey(secretKeyText(key));
    expect(secretKeyText(again)).toBe(secretKeyText(key));
    expect(again.publicText).toBe(key.publicText);
    expect(sameKey(parsePublicKey(key.publicText), again.publicKey)).toBe(true);
    expect(sameKey(generateSecretKey('cache.example.org-1').publicKey, again.publicKey)).toBe(false);
  });

  it.each([
    '',
    'name',
    'name:',
    ':AAAA',
    'name:AAAA',
    `na me:${Buffer.alloc(32).toString('base64')}`,
    `name:${Buffer.alloc(33).toString('base64')}`,
    `name:${Buffer.alloc(32).toString('base64')}\n`,
    `name:${Buffer.alloc(32).toString('hex')}`,
    `${'n'.repeat(600)}:${Buffer.alloc(32).toString('base64')}`,
  ])('are refused where they are none: %j', (text) => {
    expect(() => parsePublicKey(text)).toThrow(expect.objectContaining({ code: 'KEY_INVALID' }));
    expect(() => parseSecretKey(text)).toThrow(expect.objectContaining({ code: 'KEY_INVALID' }));
  });

  it('are refused where their halves do not belong together, and nothing of them is told', () => {
    const [one, other] = [generateSecretKey('a'), generateSecretKey('a')].map((key) =>
      Buffer.from(secretKeyText(key).slice(2), 'base64'),
    );
    const mixed = Buffer.concat([
      one?.subarray(0, 32) ?? Buffer.of(),
      other?.subarray(32) ?? Buffer.of(),
    ]).toString('base64');
    expect(() => parseSecretKey(`a:${mixed}`)).toThrow(
      expect.objectContaining({
        code: 'KEY_INVALID',
        message: expect.not.stringContaining(mixed.slice(0, 8)),
      }),
    );
  });
});

describe('signatures', () => {
  it('hold for their text, key and name alone', () => {
    const key = generateSecretKey('noamyr-1');
    fc.assert(
      fc.property(fc.string(), fc.nat(63), fc.integer({ min: 1, max: 255 }), (text, at, flip) => {
        const signature = signText(key, text);
        expect(signerOf(signature)).toBe('noamyr-1');
        expect(verifyText(key.publicKey, text, signature)).toBe(true);
        expect(verifyText(key.publicKey, `${text}.`, signature)).toBe(false);
        expect(verifyText({ ...key.publicKey, name: 'alice-1' }, text, signature)).toBe(false);
        const bytes = Buffer.from(signature.slice(9), 'base64');
        bytes[at] = (bytes[at] ?? 0) ^ flip;
        expect(verifyText(key.publicKey, text, `noamyr-1:${bytes.toString('base64')}`)).toBe(false);
      }),
      { numRuns: 50 },
    );
  });

  it('that are none are nobody’s', () => {
    const { publicKey } = generateSecretKey('a');
    for (const signature of ['', 'a:', 'a:AAAA', 'a', `a:${'A'.repeat(2000)}`]) {
      expect(verifyText(publicKey, '', signature)).toBe(false);
    }
  });
});

describe.skipIf(!needs('nix', 'nix-store'))('the keys of the real Nix', () => {
  it('sign what it signs, and its signatures hold', () => {
    using store = new SymlinkedStore();
    store.run('nix-store', ['--generate-binary-cache-key', 'alice-1', 'secret', 'public']);
    const secretText = readFileSync(join(store.folder, 'secret'), 'utf8');
    const publicText = readFileSync(join(store.folder, 'public'), 'utf8');
    const secret = parseSecretKey(secretText);
    const key = parsePublicKey(publicText);
    expect(secret.publicText).toBe(publicText);
    expect(secretKeyText(secret)).toBe(secretText);

    const library = store.build('library', 'echo 1 > $out');
    const other = store.build('another', 'echo 2 > $out');
    const user = store.build('user', `echo ${library} ${other} $out > $out`, [library, other]);
    store.copy(`file://${store.folder}/cache?secret-key=${store.folder}/secret`, user);
    const files = readdirSync(join(store.folder, 'cache')).filter((name) => name.endsWith('.narinfo'));
    expect(files).toHaveLength(3);
    for (const file of files) {
      const info = parseNarInfo(readFileSync(join(store.folder, 'cache', file)), store.storeDir);
      const [signature = ''] = info.signatures;
      expect(verifyText(key, fingerprint(info), signature), file).toBe(true);
      expect(signText(secret, fingerprint(info))).toBe(signature);
    }
  });
});
