import { sizeOf } from '../model/size.ts';
import type { PolicyText } from './schema.ts';

/** What a contaminated output does to the build that made it; see README.md, "The guard". */
export const GUARD_MODES = ['enforce', 'quarantine', 'report'] as const;
export type GuardMode = (typeof GUARD_MODES)[number];

/** What an output does that could not be inspected as a whole. */
export const INCOMPLETE_MODES = ['reject', 'withhold', 'report'] as const;
export type IncompleteMode = (typeof INCOMPLETE_MODES)[number];

/** What a quarantine does that has no room left. */
export const FULL_MODES = ['refuse', 'drop-oldest'] as const;
type FullMode = (typeof FULL_MODES)[number];

/** How outputs are kept from leaving this machine. */
export interface GateSettings {
  readonly guard: {
    readonly mode: GuardMode;
    readonly incomplete: IncompleteMode;
    /** The hook that follows with what is clean: program and arguments; empty: none. */
    readonly next: readonly string[];
    /** Seconds after which the guard gives up, which is a failure. */
    readonly deadline: number;
  };
  readonly quarantine: {
    /** Whether the outputs themselves are kept, besides what was found in them. */
    readonly keep: boolean;
    /** Bytes that what is kept may take on disk. */
    readonly bytes: number;
    readonly full: FullMode;
  };
  readonly notify: {
    /** Gets each event as a JSON document by POST. */
    readonly url: string | null;
    /** Gets each event as a JSON document on its standard input: program and arguments; empty: none. */
    readonly command: readonly string[];
  };
}

const GiB = 1024 ** 3;

export const BUILT_IN_GATE: GateSettings = Object.freeze({
  guard: Object.freeze({ mode: 'enforce', incomplete: 'withhold', next: [], deadline: 3600 }),
  quarantine: Object.freeze({ keep: true, bytes: 20 * GiB, full: 'refuse' }),
  notify: Object.freeze({ url: null, command: [] }),
});

/** The settings of a policy file's text, with what it leaves out as built in. */
export function gateOf({ guard = {}, quarantine = {}, notify = {} }: PolicyText): GateSettings {
  const built = BUILT_IN_GATE;
  const { size } = quarantine;
  return {
    guard: {
      mode: guard.mode ?? built.guard.mode,
      incomplete: guard.incomplete ?? built.guard.incomplete,
      next: guard.then ?? built.guard.next,
      deadline: guard.deadline ?? built.guard.deadline,
    },
    quarantine: {
      keep: quarantine.keep ?? built.quarantine.keep,
      bytes: (typeof size === 'string' ? sizeOf(size) : size) ?? built.quarantine.bytes,
      full: quarantine.full ?? built.quarantine.full,
    },
    notify: {
      url: notify.url ?? built.notify.url,
      command: notify.command ?? built.notify.command,
    },
  };
}

/** The tables of a policy file that say the same; what nothing can be written for is undefined. */
export function gateTables({ guard, quarantine, notify }: GateSettings) {
  const { next, ...rest } = guard;
  const { keep, bytes, full } = quarantine;
  return {
    // oxlint-disable-next-line unicorn/no-thenable -- the key that people write
    guard: { ...rest, then: programOf(next) },
    quarantine: { keep, size: bytes, full },
    notify: { url: notify.url ?? undefined, command: programOf(notify.command) },
  };
}

function programOf(words: readonly string[]): readonly string[] | undefined {
  return words.length === 0 ? undefined : words;
}
