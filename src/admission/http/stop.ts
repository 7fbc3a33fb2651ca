import type { Server, ServerResponse } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { LIMITS } from '../../model/limits.ts';

/** How often connections are closed that have nothing to do any more. */
const SWEEP_MILLISECONDS = 100;

/**
 * Ends a server without losing what its clients have begun: nobody new is let in, and requests under way get time
 * to end. Those that need more are broken off by `interrupt`, get a moment to be told so, and then are cut.
 *
 * @param interrupt ends work that answers are waiting for
 */
export async function stopServer(
  server: Server,
  interrupt: () => Promise<void>,
  grace: number = LIMITS.serverGraceMilliseconds,
): Promise<void> {
  const isLast = (_: unknown, response: ServerResponse): void => void (response.shouldKeepAlive = false);
  server.prependListener('request', isLast);
  server.prependListener('checkContinue', isLast);
  const ended = new Promise<void>((resolve) => server.close(() => resolve()));
  const sweep = setInterval(() => server.closeIdleConnections(), SWEEP_MILLISECONDS);
  const timers = new AbortController();
  const { signal } = timers;
  const inTime = async (milliseconds: number): Promise<boolean> =>
    await Promise.race([ended.then(() => true), pause(milliseconds, false, { signal }).catch(() => true)]);
  if (!(await inTime(grace))) {
    await interrupt();
    if (!(await inTime(LIMITS.serverLastMilliseconds))) server.closeAllConnections();
    await ended;
  }
  clearInterval(sweep);
  timers.abort();
}
