import type { OutputFacts } from '../model/facts.ts';
import type { Origins } from './origins.ts';
import type { ScanSink } from './run.ts';

/**
 * A sink that tells each output with its origins.
 * @param load called once, when there is something to look for
 */
export function withOrigins(sink: ScanSink, load: () => Promise<Origins>): ScanSink {
  let origins: Promise<Origins> | null = null;
  return {
    output: async (facts) => {
      if (!mayBeUpstreams(facts)) return await sink.output(facts);
      origins ??= load();
      return await sink.output(await (await origins).trace(facts));
    },
    error: (error) => sink.error(error),
    progress: (progress) => sink.progress(progress),
  };
}

function mayBeUpstreams({ storePath, findings }: OutputFacts): boolean {
  return storePath !== null && findings.some(({ rule }) => rule === 'foreign-home');
}
