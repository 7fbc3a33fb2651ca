import * as z from 'zod/mini';

/** What is to be told to whom. */
export const JOB_SCHEMA = z.strictObject({
  /** Gets each event by POST; null: nobody. */
  url: z.nullable(z.string()),
  /** Gets each event on its standard input; empty: none. */
  command: z.array(z.string()),
  /** Records of the audit trail. */
  events: z.array(z.looseObject({ seq: z.number() })),
  /** File that takes what could not be delivered. */
  log: z.string(),
});

export type NotifyJob = z.infer<typeof JOB_SCHEMA>;
