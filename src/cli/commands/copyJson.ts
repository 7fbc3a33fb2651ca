import { gateDocument, gateEndLine, gatePathLine, type PathTold } from '../../guard/gateDocument.ts';
import { loadDigest } from '../../report/ids.ts';
import type { CopyEnd, CopyJudgement, CopyOutcome, CopyTeller, CopyTelling } from './copyTeller.ts';

/** One document at the end, or a line for each path as soon as it is known what became of it. */
export class JsonTeller implements CopyTeller {
  readonly #telling: CopyTelling;
  readonly #outcomes = new Map<string, CopyOutcome>();
  #judgement: CopyJudgement | null = null;

  constructor(telling: CopyTelling) {
    this.#telling = telling;
  }

  async judged(judgement: CopyJudgement): Promise<void> {
    this.#judgement = judgement;
  }

  became(outcome: CopyOutcome, storePaths: readonly string[]): void {
    const { invocation, print } = this.#telling;
    for (const storePath of storePaths) {
      this.#outcomes.set(storePath, outcome);
      if (invocation.format !== 'jsonl' || this.#judgement === null) continue;
      const { answer } = this.#judgement;
      print(gatePathLine({ command: 'copy' }, this.#told(storePath, outcome), answer));
    }
  }

  async end({ errors, status }: CopyEnd): Promise<void> {
    if (this.#judgement === null) return;
    const { invocation, policy, origin, print } = this.#telling;
    const { to, dryRun, staged, format } = invocation;
    const head = { command: 'copy', to: to.shown, dryRun, staged, status };
    const event = { head, answer: this.#judgement.answer, errors, origin: await origin() };
    const digest = await loadDigest();
    if (format === 'jsonl') {
      print(gateEndLine(event, policy, digest));
    } else {
      const paths = [...this.#outcomes].map(([storePath, outcome]) => this.#told(storePath, outcome));
      print(gateDocument(event, paths, policy, digest));
    }
  }

  #told(storePath: string, outcome: CopyOutcome): PathTold {
    return { storePath, named: this.#judgement?.named.includes(storePath) ?? false, outcome };
  }
}
