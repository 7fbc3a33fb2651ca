/*
 * The scan command on an engine that is told what to do by its targets: `leak`, `clean`, `gap`,
 * `fault`, `throw`, `wait` (until the signal), `deaf` (beyond it), `pause` (for a moment), `many` (10,000 leaky outputs), `nothing`.
 */
import { readArguments } from '../../src/cli/arguments.ts';
import { errorLine, writeDiagnostic } from '../../src/cli/diagnostics.ts';
import { invocationOf } from '../../src/cli/invocation.ts';
import { type Engine, runScan } from '../../src/cli/scanCommand.ts';
import { NarScanError } from '../../src/model/errors.ts';
import { reportError } from '../../src/model/report.ts';
import { cleanOutput, leakyOutput, unreadOutput } from '../report/madeFacts.ts';

const engine: Engine = {
  origin: () => Promise.resolve({ kernel: 'fake', rules: 'fake-rules' }),
  conclude: () => ({ unusedWaivers: [], errors: [], remarks: [] }),
  async scan({ targets }, events, signal) {
    for (const target of targets) {
      if (target === 'leak') void events.output(leakyOutput);
      if (target === 'clean') void events.output(cleanOutput);
      if (target === 'gap') void events.output(unreadOutput);
      if (target === 'fault') {
        events.error(reportError(new NarScanError('TARGET_MISSING', 'no fault'), target));
      }
      if (target === 'throw') throw new Error('engine \x1b[2J broke');
      const outputs = target === 'many' ? 10_000 : 0;
      for (let at = 0; at < outputs && !signal.aborted; at++) {
        await events.output(leakyOutput);
      }
      if (target === 'pause') await new Promise((resolve) => setTimeout(resolve, 100));
      if (target === 'wait' || target === 'deaf') {
        const alive = setInterval(() => undefined, 1000);
        process.stderr.write('waiting\n');
        await new Promise<void>((resolve) => {
          if (target !== 'deaf') signal.addEventListener('abort', () => resolve());
        });
        clearInterval(alive);
      }
    }
  },
};

try {
  const invocation = invocationOf(readArguments(process.argv.slice(2)), process.env);
  process.exit(await runScan(invocation, engine, '0.0.0'));
} catch (error) {
  writeDiagnostic(errorLine(reportError(error, null)));
  process.exit(2);
}
