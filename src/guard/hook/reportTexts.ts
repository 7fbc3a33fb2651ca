import type { OutputResult } from '../../model/report.ts';
import type { VerdictPolicy } from '../../policy/policy.ts';
import { verdictOfRun } from '../../policy/verdict.ts';
import { humanReporter } from '../../report/human.ts';
import type { Digest } from '../../report/ids.ts';
import { jsonReporter } from '../../report/json.ts';
import { printableJson } from '../../report/printable.ts';
import type { Reporter } from '../../report/reporter.ts';
import type { HookEvent } from './hook.ts';
import { lineOf, reasonOf, showCommand } from './lines.ts';
import type { ReportTexts } from './reportFiles.ts';

const SCHEMA = 'nar-scan/guard-v1';
const COLUMNS = 100;

/**
 * The report on a build: what became of its outputs and why, then all that was found in what blocks them
 * as in any report.
 */
export function reportTexts(event: HookEvent, policy: VerdictPolicy, digest: Digest): ReportTexts {
  const { derivation, rulings, errors, origin } = event;
  const blockers = new Map(
    rulings.flatMap((ruling) => ruling.blockers.map((blocker) => [blocker.storePath, blocker] as const)),
  );
  const results = [...blockers.values()].flatMap(({ result }) => (result === null ? [] : [result]));
  const said = (reporter: Reporter): string => reportOf(reporter, results, event);
  const withheld = rulings.filter(({ fate }) => fate !== 'pass').flatMap((ruling) => ruling.blockers);
  const recorded = new Map(withheld.map((blocker) => [blocker.storePath, blocker] as const));
  const commands = [...recorded.values()].flatMap((standing) => showCommand(standing, digest) ?? []);
  const outputs = rulings.map(({ storePath, fate, blockers: all }) => ({
    storePath,
    fate,
    because: all.map((blocker) => ({
      storePath: blocker.storePath,
      standing: blocker.standing,
      narHash: blocker.narHash,
      reason: reasonOf(blocker, policy),
    })),
  }));
  const head = printableJson({ schema: SCHEMA, derivation, outputs }).slice(0, -1);
  const human = humanReporter({ color: false, columns: COLUMNS, quiet: false, verbose: false });
  const lines = rulings.map((ruling) => `${lineOf(ruling, policy)}\n`);
  const faults = errors.map(({ code, message }) => `${message} [${code}]\n`);
  return {
    json: `${head},\n"report":${said(jsonReporter(origin, digest)).trimEnd()}}\n`,
    txt: [...lines, ...howToGoOn(commands), ...faults, '\n', said(human)].join(''),
  };
}

/** From a rejection to what was recorded of it. */
function howToGoOn(commands: readonly string[]): readonly string[] {
  if (commands.length === 0) return [];
  return [
    'Mend the build, or look at what is recorded (quarantine release ID --reason WHY lets it out):\n',
    ...commands.map((command) => `  ${command}\n`),
  ];
}

/** The whole of one report on results and errors. */
export function reportOf(
  reporter: Reporter,
  results: readonly OutputResult[],
  { errors }: Pick<HookEvent, 'errors'>,
): string {
  const verdict = verdictOfRun(
    results.map((result) => result.verdict),
    errors.length,
  );
  const outputs = results.map((result) => reporter.output(result));
  const end = reporter.end({ verdict, errors, unusedWaivers: [], milliseconds: 0 });
  return [reporter.begin(), ...outputs, ...end].join('');
}
