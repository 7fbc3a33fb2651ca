import { pino, type Logger } from 'pino';

const STDERR = 2;

/**
 * The log of the server: one JSON document a line on stderr. Headers are never among what is logged, for they
 * hold what lets people in.
 */
export function openLog(level: 'info' | 'silent' = 'info'): Logger {
  const destination = pino.destination({ dest: STDERR, sync: true });
  return pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime, redact: REDACTED }, destination);
}

/** For errors that others make, which may hold a whole request. */
const REDACTED = ['err.config', 'err.request', 'err.headers', 'headers', '*.headers', '*.authorization'];
