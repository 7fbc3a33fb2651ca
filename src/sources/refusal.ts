import type { LocalGap } from '../inspect/local.ts';

/**
 * The gap of what the system refuses to give.
 * @throws the error itself where it is a fault of this program, which must not pass as a gap
 */
export function refusalGap(error: unknown): LocalGap {
  const { code, syscall } = error as NodeJS.ErrnoException;
  if (code === undefined || syscall === undefined) throw error;
  return { reason: 'unreadable', offset: null, detail: `${code} at ${syscall}` };
}
