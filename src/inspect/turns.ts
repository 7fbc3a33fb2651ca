/** How a thread that has other things to do, too, comes to them while it inspects. */
export interface Turns {
  /** Whether they have waited long enough. */
  readonly due: boolean;
  /** Resolves when they were seen to. */
  pass(): Promise<void>;
}
