import { NarScanError } from '../model/errors.ts';

/** Signals that end a run, and the exit status of a program they killed (128 + number). */
const STATUS = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;
type EndingSignal = keyof typeof STATUS;

/** Signals that follow the first one so soon belong to it: `timeout` sends one to a program and another to its group. */
const TOGETHER_SECONDS = 0.5;

/**
 * The first signal aborts the scan, so that what was found is reported; another one, later, ends the program
 * at once, by the signal itself.
 * @param cleanUp what must not be left behind by the other one
 * @returns stops listening
 */
export function listenForInterruption(controller: AbortController, cleanUp: () => void): () => void {
  /** Seconds since the process began. */
  let first: number | null = null;
  const stop = (): void => {
    for (const signal of Object.keys(STATUS)) process.off(signal, interrupt);
  };
  function interrupt(signal: EndingSignal): void {
    if (first === null) {
      first = process.uptime();
      controller.abort(new NarScanError('INTERRUPTED', `interrupted by ${signal}`));
      return;
    }
    if (process.uptime() - first < TOGETHER_SECONDS) return;
    stop();
    cleanUp();
    process.kill(process.pid, signal);
    // Process 1 of a container survives its own default signals.
    process.exit(STATUS[signal]);
  }
  for (const signal of Object.keys(STATUS)) process.on(signal, interrupt);
  return stop;
}
