import fastify from 'fastify';
import { describe, expect, it } from 'vitest';
import type { Callers } from '../../../src/admission/callers.ts';
import { Door } from '../../../src/admission/http/door.ts';

const callers = (name: string | null): Callers => ({
  pass: async () => ({
    caller: null,
    name,
    refusal: { status: 403, line: 'nar-scan: not with this token' },
    headers: {},
  }),
});

async function answerTo(
  name: string | null,
  mayBePerson: boolean,
  scheme = 'Basic',
): Promise<readonly unknown[]> {
  const app = fastify();
  const door = new Door(callers(name));
  app.get('/', async (request, reply) => {
    expect(await door.admit(request, reply, 'review', mayBePerson)).toBeNull();
    return reply;
  });
  const { statusCode, headers } = await app.inject({
    url: '/',
    headers: { authorization: `${scheme} x` },
  });
  await app.close();
  return [statusCode, headers['www-authenticate'] ?? null];
}

describe('the door', () => {
  it('asks a browser for another token where that which it has is not enough, and nobody else', async () => {
    const challenge = 'Basic realm="nar-scan", charset="UTF-8"';
    expect(await answerTo('ci', true)).toEqual([401, challenge]);
    expect(await answerTo('ci', false)).toEqual([403, null]);
    expect(await answerTo('ci', true, 'Bearer')).toEqual([403, null]);
    // such as after too many wrong ones
    expect(await answerTo(null, true)).toEqual([403, null]);
  });
});
