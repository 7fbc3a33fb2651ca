import { byteStringOfText } from '../../../model/bytes.ts';
import { compileGlob } from '../../../policy/glob.ts';
import { outputKey } from '../../../quarantine/lifting.ts';
import type { AuditRecord } from '../../../quarantine/trail/record.ts';
import type { Arguments } from '../../arguments.ts';

/** What is known of an output, for who asks for some of them. */
interface Told {
  /** Null where only a content is known. */
  readonly storePath: string | null;
  readonly homes: readonly string[];
  readonly rules: readonly string[];
}

type OutputFilter = (told: Told) => boolean;

/** Whether an output is one that `--path`, `--home` and `--rule` ask for; all of them must fit that were said. */
export function outputFilter(said: Arguments): OutputFilter {
  const glob = said.last('path');
  const path = glob === null ? null : compileGlob(glob);
  const homes = said.all('home');
  const rule = said.last('rule');
  return (told) => {
    const text = byteStringOfText(told.storePath ?? '');
    if (path !== null && !path(text) && !path(text.slice(text.lastIndexOf('/') + 1))) return false;
    if (homes.length > 0 && !told.homes.some((home) => homes.includes(home))) return false;
    return rule === null || told.rules.includes(rule);
  };
}

/**
 * Which records of a trail are about the outputs that were asked for, from the first to the last: what happened to
 * them, what was decided about them or their content, under whatever name, and what was taken back of that.
 */
export class RecordFilter {
  readonly #outputs = new Set<string>();
  readonly #ids = new Set<string>();
  readonly #contents = new Set<string>();
  readonly #decisions = new Set<number>();

  /** @param records all of the trail: a content may be denied before anybody knows whose it is */
  constructor(fits: OutputFilter, records: Iterable<AuditRecord>) {
    for (const record of records) {
      if (!('storePath' in record) || record.storePath === null) continue;
      if (!fits({ homes: [], rules: [], ...record, storePath: record.storePath })) continue;
      this.#outputs.add(outputKey(record.storePath));
      if ('id' in record && record.id !== null) this.#ids.add(record.id);
      if ('narHash' in record && record.narHash !== null) this.#contents.add(record.narHash);
    }
  }

  /** To be asked of each record, in their order. */
  fits(record: AuditRecord): boolean {
    const fits = this.#isAbout(record);
    if (fits && (record.event === 'denied' || record.event === 'released')) this.#decisions.add(record.seq);
    return fits;
  }

  #isAbout(record: AuditRecord): boolean {
    if (record.event === 'lifted') return this.#decisions.has(record.decision);
    if (record.event === 'settled') return this.#ids.has(record.id);
    if (record.event === 'denied') {
      const { narHash, hashPart } = record;
      if (narHash !== null && this.#contents.has(narHash)) return true;
      if (hashPart !== null) return this.#outputs.has(hashPart);
    }
    return record.storePath !== null && this.#outputs.has(outputKey(record.storePath));
  }
}
