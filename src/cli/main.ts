import { readFileSync, writeSync } from 'node:fs';
import { NarScanError } from '../model/errors.ts';
import { reportError } from '../model/report.ts';
import type { Arguments } from './arguments.ts';
import { type CommandName, groupAsked, helpWords } from './commands.ts';
import { tellError, writeDiagnostic } from './diagnostics.ts';
import { EXIT_ERROR } from './exitStatus.ts';

/*
 * Start-up is watched: what help, version and a refused command line do not need is imported later.
 */

/** Width of what is explained, as of help. */
const TEXT_COLUMNS = 80;

/** Runs the program on this process's arguments and ends it with the exit status. */
export async function main(): Promise<never> {
  process.on('uncaughtException', (error) => process.exit(failed(error)));
  process.exit(await run(process.argv.slice(2)).catch(failed));
}

async function run(words: readonly string[]): Promise<number> {
  if (words.length === 1 && words[0] === '--version') return printed(`nar-scan ${version()}\n`);
  const group = groupAsked(words);
  if (group !== null) {
    const { groupHelpText } = await import('./help.ts');
    return printed(groupHelpText(group));
  }
  const { readArguments } = await import('./arguments.ts');
  const said = readArguments(words);
  if (said.mode !== 'run') return await tell(said);
  return await RUNNERS[said.command](said);
}

/** What each command is run by. */
const RUNNERS: Readonly<Record<CommandName, (said: Arguments) => Promise<number>>> = {
  scan,
  copy,
  guard,
  serve,
  'policy check': policyCheck,
  'policy print': policyPrint,
  homes,
  'quarantine list': quarantine,
  'quarantine show': quarantine,
  'quarantine release': quarantine,
  'quarantine deny': quarantine,
  'quarantine lift': quarantine,
  'quarantine purge': quarantine,
  'quarantine export': quarantine,
  'token new': token,
  'audit verify': quarantine,
  'audit list': quarantine,
  explain,
  completion,
};

async function tell({ mode, command }: Arguments): Promise<number> {
  if (mode === 'version') return printed(`nar-scan ${version()}\n`);
  const { helpText } = await import('./help.ts');
  return printed(helpText(command));
}

async function scan(said: Arguments): Promise<number> {
  const { invocationOf } = await import('./invocation.ts');
  const invocation = invocationOf(said, process.env);
  const { Crew } = await import('./crew.ts');
  const crew = new Crew(invocation.jobs, !invocation.hashNars);
  crew.expect(invocation.targets);
  const [{ runScan }, { engineOn }, { rulingOf }] = await Promise.all([
    import('./scanCommand.ts'),
    import('./engine.ts'),
    import('./policy/ruling.ts'),
  ]);
  const { facts, judge } = await rulingOf(invocation, process.env, new Date());
  return await runScan(invocation, engineOn(crew, facts, judge), version());
}

async function copy(said: Arguments): Promise<number> {
  const { runCopy } = await import('./commands/copy.ts');
  return await runCopy(said, process.env, version());
}

async function guard(said: Arguments): Promise<number> {
  const { guardText } = await import('./commands/guard.ts');
  const { text, status } = await guardText(said, process.env, version());
  printed(text);
  return status;
}

async function serve(said: Arguments): Promise<number> {
  const { runServer } = await import('./commands/serve.ts');
  await runServer(said, process.env, version(), printed);
  return 0;
}

async function policyCheck(said: Arguments): Promise<number> {
  const { checkPolicy } = await import('./policy/commands.ts');
  const { text, status } = await checkPolicy(said, process.env, new Date());
  printed(text);
  return status;
}

async function policyPrint(said: Arguments): Promise<number> {
  const { printPolicy } = await import('./policy/commands.ts');
  return printed(await printPolicy(said, process.env));
}

async function homes(said: Arguments): Promise<number> {
  const { homesText } = await import('./commands/homes.ts');
  return printed(await homesText(said, process.env));
}

async function quarantine(said: Arguments): Promise<number> {
  const { runOnQuarantine } = await import('./commands/quarantine/run.ts');
  await runOnQuarantine(said, process.env, printed);
  return 0;
}

async function token(said: Arguments): Promise<number> {
  const { newToken } = await import('./commands/token.ts');
  const { entry, secret } = newToken(said, new Date());
  printed(entry);
  // so that `>> tokens.toml` takes the entry alone
  writeDiagnostic(`nar-scan: the secret, told only now; it is the password, of any user:\n${secret}\n`);
  return 0;
}

async function explain({ targets }: Arguments): Promise<number> {
  const { explanation } = await import('./commands/explain.ts');
  return printed(explanation(targets, TEXT_COLUMNS));
}

async function completion({ targets }: Arguments): Promise<number> {
  const { completionScript } = await import('./completion/completion.ts');
  return printed(completionScript(targets));
}

function version(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

/** Short text for stdout; a reader who has gone is no fault. */
function printed(text: string): number {
  try {
    const bytes = Buffer.from(text);
    for (let at = 0; at < bytes.length;) at += writeSync(1, bytes, at);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EPIPE') return 0;
    throw new NarScanError('REPORT_NOT_WRITTEN', `stdout: ${String(error)}`, { cause: error });
  }
  return 0;
}

/** One line about an error that ended the program; a stack trace only where it was asked for. */
function failed(error: unknown): number {
  const told = reportError(error, null);
  // the table of errors knows no command
  const hint = told.hint.replace('nar-scan --help', `nar-scan ${helpWords(process.argv.slice(2))}--help`);
  tellError({ ...told, hint });
  const traced = process.env['NAR_SCAN_DEBUG'] === '1' && error instanceof Error;
  if (traced) writeDiagnostic(`${error.stack ?? ''}\n`);
  return EXIT_ERROR;
}
