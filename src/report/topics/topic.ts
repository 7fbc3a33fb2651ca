/** What kinds of things can be explained. */
export const TOPIC_KINDS = ['rule', 'carrier', 'group', 'encoding', 'gap', 'error'] as const;
export type TopicKind = (typeof TOPIC_KINDS)[number];

/** An explanation. Each text is one or more whole sentences, without line breaks. */
export interface Topic {
  readonly kind: TopicKind;
  /** As reports write it. */
  readonly name: string;
  /** What it is, in one sentence. */
  readonly what: string;
  /** Why it is bad; '' where that is the same for all of its kind. */
  readonly why: string;
  /** How it comes about; '' where its name says it. */
  readonly cause: string;
  /** How to mend it, one way each; of a group, its carriers. */
  readonly mend: readonly string[];
  /** What a waiver for it begins with in a policy file, line by line; empty where nothing can be waived. */
  readonly waive: readonly string[];
}

/** What a topic says beyond what its kind says for it. */
export type Words = Pick<Topic, 'what' | 'why' | 'cause'>;
