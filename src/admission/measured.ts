import type { Catalog } from './catalog.ts';
import type { Metrics } from './http/metrics.ts';
import type { Inspector } from './inspector.ts';
import type { SpoolDirectory } from './intake/spool.ts';
import type { Judge } from './judge.ts';
import { overriding } from './overriding.ts';
import type { Storage } from './storage.ts';

/** The parts of a server whose work is counted. */
export interface Measurable {
  readonly catalog: Catalog;
  readonly inspector: Inspector;
  readonly judge: Judge;
  readonly spool: SpoolDirectory;
  readonly storage: Storage;
}

/** The same parts, which tell how often and how long they work. */
export function measured(parts: Measurable, metrics: Metrics): Measurable {
  const { catalog, inspector, judge, spool, storage } = parts;
  const timed = async <T>(stage: Parameters<Metrics['stage']>[0], work: Promise<T>): Promise<T> => {
    const began = performance.now();
    try {
      return await work;
    } finally {
      metrics.stage(stage, performance.now() - began);
    }
  };
  return {
    catalog: overriding(catalog, {
      tell: async (admission) => {
        metrics.admission(admission);
        await catalog.tell(admission);
      },
    }),
    inspector: overriding(inspector, {
      nar: async (...about) => await timed('inspect', inspector.nar(...about)),
    }),
    judge: overriding(judge, { rule: async (...about) => await timed('judge', judge.rule(...about)) }),
    spool: overriding(spool, {
      receive: async (body, options) => {
        const { file, whole } = await spool.receive(body, options);
        const counted = timed('receive', whole);
        // as of the spool: a rejection that nobody waits for yet is no fault
        counted.catch(() => undefined);
        return { file, whole: counted };
      },
    }),
    storage: overriding(storage, {
      put: async (...about) => await timed('publish', storage.put(...about)),
    }),
  };
}
