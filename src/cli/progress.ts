import type { TransferProgress } from '../guard/copy/meter.ts';
import { clock } from '../model/clock.ts';
import { bytesForPeople, counted } from '../report/units.ts';
import { writeDiagnostic } from './diagnostics.ts';
import { columnsOf, isTerminal, STDERR_DESCRIPTOR } from './terminal.ts';

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

export interface ProgressLine<T> {
  /** Whether anybody sees it. */
  readonly isShown: boolean;
  update(progress: T): void;
  /** Draws it again while nothing new is told, so that who waits sees that it goes on; until it is disposed of. */
  keep(): Disposable;
  /** Wipes the line, so that something else can be written; the next update draws it again. */
  clear(): void;
}

/** A run that ends sooner shows no progress. */
const QUIET_MILLISECONDS = 400;
const INTERVAL_MILLISECONDS = 100;

/** Nothing is shown: not a terminal, or not wanted. */
const NOTHING: ProgressLine<unknown> = {
  isShown: false,
  update: () => undefined,
  keep: () => ({ [Symbol.dispose]: () => undefined }),
  clear: () => undefined,
};

/**
 * One line on stderr that is drawn over and over, where that is a terminal and nobody asked for quiet.
 * @param textOf how far it is, after so many milliseconds
 */
export function shownProgress<T>(
  quiet: boolean,
  textOf: (progress: T, milliseconds: number) => string,
): ProgressLine<T> {
  if (quiet || !isTerminal(STDERR_DESCRIPTOR)) return NOTHING;
  return progressLine(writeDiagnostic, columnsOf(STDERR_DESCRIPTOR), textOf);
}

/**
 * One line that is drawn over and over, at most ten times a second.
 * @param now milliseconds from any fixed moment
 */
export function progressLine<T>(
  write: (text: string) => void,
  columns: number,
  textOf: (progress: T, milliseconds: number) => string,
  now: () => number = clock,
): ProgressLine<T> {
  const started = now();
  let drawn = Number.NEGATIVE_INFINITY;
  let shown = false;
  let last: T | null = null;
  const line: ProgressLine<T> = {
    isShown: true,
    update(progress) {
      last = progress;
      const time = now();
      if (time - started < QUIET_MILLISECONDS || time - drawn < INTERVAL_MILLISECONDS) return;
      drawn = time;
      shown = true;
      write(`\r\x1b[K${textOf(progress, time - started).slice(0, Math.max(0, columns - 1))}`);
    },
    keep() {
      const timer = setInterval(() => {
        if (last !== null) line.update(last);
      }, INTERVAL_MILLISECONDS).unref();
      return { [Symbol.dispose]: () => clearInterval(timer) };
    },
    clear() {
      if (shown) write('\r\x1b[K');
      shown = false;
    },
  };
  return line;
}

/** How far a scan is, in words. */
export function scanText(progress: Progress, milliseconds: number): string {
  const { bytes, files, outputsLeft, outputsKnown, bytesTotal } = progress;
  const total = bytesTotal === null || bytesTotal <= 0 ? '' : ` of ${bytesForPeople(bytesTotal)}`;
  const known = outputsKnown === 0 ? '' : `, ${outputsKnown.toLocaleString('en-US')} known`;
  const outputs = `${counted(outputsLeft, 'output')} left${known}`;
  return `${bytesForPeople(bytes)}${total}, ${rateOf(bytes, milliseconds)}, ${counted(files, 'file')}, ${outputs}`;
}

/** How far a copy is, in words. */
export function transferText(progress: TransferProgress, milliseconds: number): string {
  const { paths, pathsTotal, bytes, bytesTotal, staged } = progress;
  const waiting = staged > bytes ? `, ${bytesForPeople(staged - bytes)} ready` : '';
  const sent = `${bytesForPeople(bytes)} of ${bytesForPeople(bytesTotal)} sent`;
  return `${paths} of ${counted(pathsTotal, 'path')}, ${sent}, ${rateOf(bytes, milliseconds)}${waiting}`;
}

function rateOf(bytes: number, milliseconds: number): string {
  return `${bytesForPeople((bytes / Math.max(1, milliseconds)) * 1000)}/s`;
}
