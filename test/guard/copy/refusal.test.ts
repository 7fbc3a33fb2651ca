import { describe, expect, it } from 'vitest';
import { refusalBy, verdictIn } from '../../../src/guard/copy/refusal.ts';
import { NarScanError } from '../../../src/model/errors.ts';

const CACHE = 'https://cache.example.org';
const LINE = "held for review: foreign-home /home/bob in x (bytes); fix: mend it (it's there)";

const by = (failure: string, said: string | null = null) =>
  refusalBy(CACHE, new NarScanError('NIX_FAILED', `nix copy ended with status 1: error: ${failure}`), said);

describe('the verdict of a cache', () => {
  it('is found in the reason of the status, or where a protocol has none in what Nix printed before', () => {
    const told = {
      code: 'NIX_REFUSED',
      verdict: 'contaminated',
      message: `${CACHE} refuses a path: ${LINE}`,
    };
    const url = `unable to upload '${CACHE}/nar/1azj.nar.xz'`;
    expect(by(`${url}: HTTP error 403 ('nar-scan: ${LINE}')`)).toMatchObject(told);
    expect(by(`${url}: HTTP error 403`, verdictIn(`       nar-scan: ${LINE}`))).toMatchObject(told);
    expect(by(`${url}: HTTP error 403 ('nar-scan: ${LINE.slice(0, 20)}')`, LINE)).toMatchObject(told);
  });

  it('is incomplete where it could not inspect it', () => {
    expect(by("HTTP error 422 ('nar-scan: incomplete: truncated in x')")?.verdict).toBe('incomplete');
  });

  it('is none where the cache is at fault, another one, or may not be asked', () => {
    expect(
      by("HTTP error 403 ('nar-scan: ACCESS_SCOPE: no')", verdictIn('nar-scan: ACCESS_SCOPE: no')),
    ).toBeNull();
    expect(by("HTTP error 403 ('Forbidden')", verdictIn('response body:'))).toBeNull();
    expect(by("HTTP error 503 ('nar-scan: held')", 'held')).toBeNull();
    expect(by('HTTP error 4030', 'held')).toBeNull();
  });
});
