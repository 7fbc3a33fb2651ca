import { createRequire } from 'node:module';
import type BlakeHash from '@napi-rs/blake-hash';
import type { ContentDigest } from '../inspect/contentDigest.ts';

/** BLAKE3. It is native code, so only runs that ask for it load it. */
export function blake3Digest(): ContentDigest {
  const require = createRequire(import.meta.url);
  const { Blake3Hasher } = require('@napi-rs/blake-hash') as typeof BlakeHash;
  const hasher = new Blake3Hasher();
  return {
    update(bytes) {
      hasher.update(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
    },
    finish() {
      const text = hasher.digest('hex');
      hasher.reset();
      return text;
    },
  };
}
