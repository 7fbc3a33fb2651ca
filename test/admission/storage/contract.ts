import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Storage, StoredObject } from '../../../src/admission/storage.ts';

/** One kind of storage, as the contract drives it. */
export interface StorageKind {
  /** A fresh one, with nothing in it. */
  begin(): Promise<Storage>;
  end(): Promise<void>;
}

export async function bytesOf(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

async function gotten(object: StoredObject | null): Promise<{ bytes: Buffer; size: number } | null> {
  return object === null ? null : { bytes: await bytesOf(object.stream), size: object.size };
}

const NAR = 'nar/1b8m03r63zqhnjf7l5wnldhh7c134ap5vpj0850ymkq1iyzicy5s.nar.xz';
const TYPE = 'application/x-nix-nar';

/** What every storage must do. */
export function storageContract(name: string, kind: StorageKind): void {
  describe(`a storage in ${name}`, () => {
    let storage: Storage;
    let folder: string;

    beforeEach(async () => {
      folder = mkdtempSync(join(tmpdir(), 'nar-scan-received-'));
      storage = await kind.begin();
    });

    afterEach(async () => {
      await kind.end();
      rmSync(folder, { recursive: true, force: true });
    });

    it('has nothing at first, and can be written to', async () => {
      await storage.check();
      expect(await storage.get(NAR)).toBeNull();
      expect(await storage.get(NAR, { start: 0, end: 5 })).toBeNull();
      expect(await storage.get(NAR, { start: 0, end: 0 })).toBeNull();
      expect(await storage.size(NAR)).toBeNull();
    });

    it('gives back bytes and files as they were put', async () => {
      const text = Buffer.from('StorePath: x\n');
      await storage.put('1b8m03r63zqhnjf7l5wnldhh7c134ap5.narinfo', { bytes: text }, 'text/x-nix-narinfo');
      expect(await gotten(await storage.get('1b8m03r63zqhnjf7l5wnldhh7c134ap5.narinfo'))).toEqual({
        bytes: text,
        size: text.length,
      });

      const large = Buffer.alloc(3_000_001, 'large');
      const file = join(folder, 'received');
      writeFileSync(file, large);
      await storage.put(NAR, { file, size: large.length }, TYPE);
      expect(await storage.size(NAR)).toBe(large.length);
      const whole = await gotten(await storage.get(NAR));
      expect(
        createHash('sha256')
          .update(whole?.bytes ?? '')
          .digest('hex'),
      ).toBe(createHash('sha256').update(large).digest('hex'));
    });

    it('takes empty objects, and replaces what is there', async () => {
      await storage.put(NAR, { bytes: new Uint8Array() }, TYPE);
      expect(await gotten(await storage.get(NAR))).toEqual({ bytes: Buffer.alloc(0), size: 0 });
      const file = join(folder, 'received');
      writeFileSync(file, 'other');
      await storage.put(NAR, { file, size: 5 }, TYPE);
      await storage.put(NAR, { file, size: 5 }, TYPE);
      expect(await gotten(await storage.get(NAR))).toEqual({ bytes: Buffer.from('other'), size: 5 });
    });

    it('gives any part of an object', async () => {
      const bytes = Buffer.from(Array.from({ length: 100 }, (_, index) => index));
      await storage.put(NAR, { bytes }, TYPE);
      await fc.assert(
        fc.asyncProperty(fc.nat(99), fc.nat(120), async (start, length) => {
          const range = { start, end: start + length };
          expect(await gotten(await storage.get(NAR, range))).toEqual({
            bytes: bytes.subarray(start, start + length),
            size: 100,
          });
        }),
        { numRuns: 30 },
      );
    });

    it('takes what is put many times at once', async () => {
      const bytes = Buffer.alloc(100_000, 'same');
      await Promise.all(Array.from({ length: 20 }, () => storage.put(NAR, { bytes }, TYPE)));
      expect((await gotten(await storage.get(NAR)))?.bytes.equals(bytes)).toBe(true);
    });

    it('takes no file that has not the size it should have, and no missing one', async () => {
      const file = join(folder, 'received');
      writeFileSync(file, 'short');
      for (const content of [
        { file, size: 6 },
        { file, size: 4 },
        { file: `${file}-gone`, size: 5 },
      ]) {
        await expect(storage.put(NAR, content, TYPE)).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
        expect(await storage.get(NAR)).toBeNull();
      }
    });

    it.each([
      '',
      '/etc/passwd',
      '../x',
      'nar/../../x',
      'nar//x',
      'nar/',
      './x',
      '.unfinished/x',
      'nar/.x',
      'nar/x\0.nar',
      'nar\\x',
      'nar/%2e%2e',
      'nar/ä',
      'a'.repeat(256),
      'a/'.repeat(600),
    ])('refuses the name %j', async (name) => {
      const refused = { code: 'UPLOAD_NAME' };
      await expect(storage.put(name, { bytes: Buffer.from('x') }, TYPE)).rejects.toMatchObject(refused);
      await expect(storage.get(name)).rejects.toMatchObject(refused);
      await expect(storage.size(name)).rejects.toMatchObject(refused);
    });
  });
}
