import { bytesForPeople, counted } from '../report/units.ts';

/** How far a scan is. */
export interface Progress {
  readonly bytes: number;
  readonly files: number;
  readonly outputsLeft: number;
  /** Of those that are done, how many were known from an earlier run. */
  readonly outputsKnown: number;
  /** Null where it is not known yet. */
  readonly bytesTotal: number | null;
}

export interface ProgressLine {
  update(progress: Progress): void;
  /** Wipes the line, so that something else can be written; the next update draws it again. */
  clear(): void;
}

/** A run that ends sooner shows no progress. */
const QUIET_MILLISECONDS = 400;
const INTERVAL_MILLISECONDS = 100;

/** Nothing is shown: not a terminal, or not wanted. */
export const noProgress: ProgressLine = { update: () => undefined, clear: () => undefined };

/**
 * One line that is drawn over and over, at most ten times a second.
 * @param now milliseconds from any fixed moment
 */
export function progressLine(
  write: (text: string) => void,
  columns: number,
  now: () => number = () => performance.now(),
): ProgressLine {
  const started = now();
  let drawn = Number.NEGATIVE_INFINITY;
  let shown = false;
  return {
    update(progress) {
      const time = now();
      if (time - started < QUIET_MILLISECONDS || time - drawn < INTERVAL_MILLISECONDS) return;
      drawn = time;
      shown = true;
      write(`\r\x1b[K${progressText(progress, time - started).slice(0, Math.max(0, columns - 1))}`);
    },
    clear() {
      if (shown) write('\r\x1b[K');
      shown = false;
    },
  };
}

function progressText(progress: Progress, milliseconds: number): string {
  const { bytes, files, outputsLeft, outputsKnown, bytesTotal } = progress;
  const total = bytesTotal === null || bytesTotal <= 0 ? '' : ` of ${bytesForPeople(bytesTotal)}`;
  const rate = bytesForPeople((bytes / Math.max(1, milliseconds)) * 1000);
  const known = outputsKnown === 0 ? '' : `, ${outputsKnown.toLocaleString('en-US')} known`;
  const outputs = `${counted(outputsLeft, 'output')} left${known}`;
  return `${bytesForPeople(bytes)}${total}, ${rate}/s, ${counted(files, 'file')}, ${outputs}`;
}
