import { describe, expect, it } from 'vitest';
import { storeUrl } from '../../../src/guard/copy/storeUrl.ts';

describe('the URL of a store', () => {
  it.each([
    ['https://alice:geheim@cache.example/x?compression=zstd', 'https://cache.example/x'],
    ['s3://cache?region=eu&secret-key=/k', 's3://cache'],
    ['ssh-ng://alice@host', 'ssh-ng://host'],
    ['file:///var/cache', 'file:///var/cache'],
    ['daemon', 'daemon'],
    ['/srv/x@y', '/srv/x@y'],
    ['https://cache.example/a@b', 'https://cache.example/a@b'],
  ])('%j is shown as %j', (url, shown) => {
    expect(storeUrl(url).shown).toBe(shown);
  });

  it('is shown without its secrets in what others say of it, too', () => {
    const { redact } = storeUrl('https://alice:geheim@cache.example/x?secret-key=/k');
    expect(redact("copying to 'https://alice:geheim@cache.example/x': alice:geheim@ ?secret-key=/k")).toBe(
      "copying to 'https://cache.example/x':  ",
    );
  });
});
