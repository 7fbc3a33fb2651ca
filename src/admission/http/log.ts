import { pino, type Logger } from 'pino';
import { NarScanError } from '../../model/errors.ts';

const STDERR = 2;

/**
 * The log of the server: one JSON document a line on stderr. Headers are never among what is logged, for they
 * hold what lets people in.
 */
export function openLog(level: 'info' | 'silent' = 'info'): Logger {
  const destination = pino.destination({ dest: STDERR, sync: true });
  const options = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: REDACTED,
    serializers: { err: shownError },
  };
  return pino(options, destination);
}

/** Of errors that say by themselves what and where, with what to do; of others with the place in the program. */
function shownError(error: unknown): unknown {
  if (error instanceof NarScanError) {
    const { code, message, hint } = error;
    return { code, message, hint };
  }
  return error instanceof Error ? pino.stdSerializers.err(error) : error;
}

/** For errors that others make, which may hold a whole request. */
const REDACTED = ['err.config', 'err.request', 'err.headers', 'headers', '*.headers', '*.authorization'];
