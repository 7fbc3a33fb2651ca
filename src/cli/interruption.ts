import { NarScanError } from '../model/errors.ts';

/** Signals that end a run, and the exit status of a program they killed (128 + number). */
const STATUS = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;
type EndingSignal = keyof typeof STATUS;

/**
 * The first signal aborts the scan, so that what was found is reported; the second ends the program
 * at once, by the signal itself.
 * @param cleanUp what must not be left behind by the second
 * @returns stops listening
 */
export function listenForInterruption(controller: AbortController, cleanUp: () => void): () => void {
  let count = 0;
  const stop = (): void => {
    for (const signal of Object.keys(STATUS)) process.off(signal, interrupt);
  };
  function interrupt(signal: EndingSignal): void {
    count++;
    if (count === 1) {
      controller.abort(new NarScanError('INTERRUPTED', `interrupted by ${signal}`));
      return;
    }
    stop();
    cleanUp();
    process.kill(process.pid, signal);
    // Process 1 of a container survives its own default signals.
    process.exit(STATUS[signal]);
  }
  for (const signal of Object.keys(STATUS)) process.on(signal, interrupt);
  return stop;
}
