import { describe, expect, it } from 'vitest';
import { ERRORS, NarScanError } from '../../src/model/errors.ts';
import { LIMITS } from '../../src/model/limits.ts';
import { reportError } from '../../src/model/report.ts';

describe('errors', () => {
  it('have codes in capitals and a hint of one line without an end', () => {
    for (const [code, hint] of Object.entries(ERRORS)) {
      expect(code).toMatch(/^[A-Z]+(?:_[A-Z]+)*$/);
      expect([code, hint]).toEqual([code, expect.stringMatching(/^[^\n]{5,120}[^.\s]$/)]);
    }
  });

  it('carry what a report says of them', () => {
    const error = new NarScanError('NAR_TAG', 'no tag', { offset: 7, cause: 'x' });
    expect([error.hint, error.offset, error.cause]).toEqual([ERRORS.NAR_TAG, 7, 'x']);
    expect(reportError(error, './x')).toEqual({
      code: 'NAR_TAG',
      target: './x',
      message: 'no tag',
      hint: ERRORS.NAR_TAG,
    });
  });

  it('of any other kind are faults of this program, whatever was thrown', () => {
    for (const thrown of [new TypeError('oh'), 'oh', Object.assign(new Error('oh'), { code: 'EIO' })]) {
      expect(reportError(thrown, null)).toMatchObject({ code: 'INTERNAL', message: 'oh', target: null });
    }
    expect(reportError(undefined, null).code).toBe('INTERNAL');
  });
});

describe('limits', () => {
  it('are whole, positive, and cannot be changed', () => {
    for (const [name, limit] of Object.entries(LIMITS)) {
      expect([name, Number.isSafeInteger(limit) && limit > 0]).toEqual([name, true]);
    }
    expect(Object.isFrozen(LIMITS)).toBe(true);
  });
});
