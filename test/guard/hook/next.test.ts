import { describe, expect, it } from 'vitest';
import { runNext } from '../../../src/guard/hook/next.ts';

const never = new AbortController().signal;
const shell = (script: string, signal = never) => runNext(['/bin/sh', '-c', script], {}, signal);

describe('the hook that follows', () => {
  it('ends with its status, or with that of the signal that ended it', async () => {
    expect(await shell('exit 0')).toBe(0);
    expect(await shell('exit 42')).toBe(42);
    expect(await shell('kill -TERM $$')).toBe(128 + 15);
  });

  it('has no input', async () => {
    expect(await shell('read line && exit 1; exit 0')).toBe(0);
  });

  it('is killed with all that it started when the time is over', async () => {
    const controller = new AbortController();
    const running = shell('sleep 60 & sleep 60', controller.signal);
    setTimeout(() => controller.abort(new Error('over')), 200);
    await expect(running).rejects.toThrow('over');
  });

  it('is not started when the time is over already', async () => {
    await expect(shell('exit 0', AbortSignal.abort(new Error('over')))).rejects.toThrow('over');
  });

  it.each([
    ['is not there', '/nowhere/hook', {}, /ENOENT/],
    ['is a directory', '/tmp', {}, /EACCES/],
    ['gets more than a program can get', '/bin/true', { OUT_PATHS: 'x'.repeat(1 << 18) }, /E2BIG/],
  ])('that %s is an error', async (_what, program, environment, message) => {
    await expect(runNext([program], environment, never)).rejects.toMatchObject({
      code: 'GUARD_NEXT_FAILED',
      message: expect.stringMatching(message),
    });
  });
});
