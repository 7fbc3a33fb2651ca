import type { FastifyInstance } from 'fastify';
import { LIMITS } from '../../model/limits.ts';

/** Something without which the server cannot do its work. */
export interface Need {
  /** Such as `storage`. */
  readonly name: string;
  /** @throws where it is not there, and why */
  readonly check: () => void | Promise<void>;
}

/** Tells, to anybody, whether the process runs, and whether it can work; why it cannot is told in the log only. */
export function tellHealth(
  app: FastifyInstance,
  needs: readonly Need[],
  missing: (name: string, error: unknown) => void,
): void {
  const ready = remembered(async () => await lackingOf(needs, missing), LIMITS.serverReadyMilliseconds);
  // nobody may ask for hours, and the first upload would be told
  app.addHook('onReady', (done) => {
    void ready();
    done();
  });
  app.get('/healthz', async (_, reply) => await reply.header('cache-control', 'no-store').send('ok\n'));
  app.get('/readyz', async (_, reply) => {
    const lacking = await ready();
    reply.header('cache-control', 'no-store');
    if (lacking.length === 0) return await reply.send('ready\n');
    return await reply.code(503).send(`not ready: ${lacking.join(', ')}\n`);
  });
}

/** The names of what is not there. */
async function lackingOf(
  needs: readonly Need[],
  missing: (name: string, error: unknown) => void,
): Promise<readonly string[]> {
  const lacking = await Promise.all(
    needs.map(async ({ name, check }) => {
      try {
        await check();
        return [];
      } catch (error) {
        missing(name, error);
        return [name];
      }
    }),
  );
  return lacking.flat();
}

/** Asks at most once in that time, however many want to know. */
function remembered<T>(ask: () => Promise<T>, milliseconds: number): () => Promise<T> {
  let asked: { readonly at: number; readonly answer: Promise<T> } | null = null;
  return async () => {
    const now = performance.now();
    if (asked === null || now - asked.at > milliseconds) asked = { at: now, answer: ask() };
    return await asked.answer;
  };
}
