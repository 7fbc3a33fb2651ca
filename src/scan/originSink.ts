import type { Finding } from '../model/facts.ts';
import type { Origins } from './origins.ts';
import type { ScanSink } from './run.ts';

/**
 * A sink that tells each output with its origins.
 * @param matters whether it is worth a scan of sources to know where a finding is from
 * @param load called once, when there is something to look for
 */
export function withOrigins(
  sink: ScanSink,
  matters: ((finding: Finding) => boolean) | undefined,
  load: () => Promise<Origins>,
): ScanSink {
  let origins: Promise<Origins> | null = null;
  return {
    output: async (facts) => {
      const { storePath, findings } = facts;
      const isSought = (finding: Finding): boolean =>
        finding.rule === 'foreign-home' && (matters?.(finding) ?? true);
      if (storePath === null || !findings.some(isSought)) return await sink.output(facts);
      origins ??= load();
      return await sink.output(await (await origins).trace(facts));
    },
    error: (error) => sink.error(error),
    progress: (progress) => sink.progress(progress),
  };
}
