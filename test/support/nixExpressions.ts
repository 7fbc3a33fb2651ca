import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from './narScan.ts';

/** The real Nix for evaluating expressions, offline, with a store of its own. Dispose of it. */
export class Evaluator implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'nar-scan-evaluator-'));

  constructor() {
    mkdirSync(join(this.folder, 'conf'));
    writeFileSync(
      join(this.folder, 'conf/nix.conf'),
      'substituters =\nsandbox = false\nbuild-users-group =\nexperimental-features = nix-command flakes\n',
    );
  }

  /** The value of an expression, as JSON holds it; paths in it count from the checkout. */
  value(expression: string): unknown {
    return JSON.parse(this.run('nix-instantiate', ['--eval', '--strict', '--json', '-E', expression]));
  }

  /** What a program of Nix prints. */
  run(program: string, args: readonly string[]): string {
    return execFileSync(program, args, {
      cwd: ROOT,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        PATH: process.env['PATH'],
        NIX_PATH: process.env['NIX_PATH'],
        HOME: this.folder,
        NIX_STORE_DIR: join(this.folder, 'store'),
        NIX_STATE_DIR: join(this.folder, 'var'),
        NIX_LOG_DIR: join(this.folder, 'log'),
        NIX_CONF_DIR: join(this.folder, 'conf'),
      },
    });
  }

  [Symbol.dispose](): void {
    execFileSync('chmod', ['-R', 'u+w', this.folder]);
    rmSync(this.folder, { recursive: true, force: true });
  }
}
