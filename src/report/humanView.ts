import type { Paint } from './paint.ts';

/** How a report for people is drawn. */
export interface HumanView {
  readonly paint: Paint;
  /** Width of the terminal in columns. */
  readonly columns: number;
  /** Nothing is folded or cropped. */
  readonly verbose: boolean;
}
