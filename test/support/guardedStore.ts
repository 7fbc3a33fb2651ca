import { spawn, spawnSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './narScan.ts';
import { SymlinkedStore } from './realNix.ts';

/** The hook, as Nix starts it. */
export const HOOK = join(ROOT, 'bin/nar-scan-post-build-hook');

/** How a program ended. */
export interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A record of the audit trail, as far as tests look at it. */
export interface TrailRecord {
  readonly event: string;
  readonly storePath?: string;
  readonly verdict?: string;
  readonly because?: string;
  readonly kept?: number | null;
  readonly id?: string;
}

/** A builder that writes where its output really lies. */
export const LEAK = 'mkdir -p $out/bin; echo "#!$(realpath $out)/sh" > $out/bin/x';
export const CLEAN = 'mkdir -p $out; echo nothing > $out/file';

const MINUTE = 60_000;

/** A store of the real Nix whose builds nar-scan guards, with a state and a policy of its own. */
export class GuardedStore extends SymlinkedStore {
  readonly state = join(this.folder, 'state');
  readonly policyFile = join(this.folder, 'config.toml');
  /** Where the following hook of {@link followWith} writes what it was given. */
  readonly followed = join(this.folder, 'followed');

  constructor(settings: readonly string[] = []) {
    super();
    const configuration = this.environment['NIX_CONF_DIR'] ?? '';
    const hook = [`post-build-hook = ${HOOK}`, ...settings].map((line) => `${line}\n`).join('');
    appendFileSync(join(configuration, 'nix.conf'), hook);
    this.environment['NAR_SCAN_STATE'] = this.state;
    this.environment['NAR_SCAN_CONFIG'] = this.policyFile;
    this.environment['NAR_SCAN_NODE'] = process.execPath;
    this.setPolicy('');
  }

  /** @param text after the store's home, which a daemon does not know by HOME */
  setPolicy(text: string): void {
    writeFileSync(this.policyFile, `homes = ["${this.home}"]\n${text}`);
  }

  /** A hook that writes down each line of its OUT_PATHS, then runs a script. Goes into `guard.then`. */
  following(script = ''): string {
    const program = join(this.folder, 'next');
    const lines = [`echo "$DRV_PATH: $OUT_PATHS" >> '${this.followed}'`, script];
    writeFileSync(program, `#!/bin/sh\n${lines.join('\n')}\n`);
    chmodSync(program, 0o755);
    return program;
  }

  /** What following hooks were given, a line each. */
  given(): readonly string[] {
    if (!existsSync(this.followed)) return [];
    return readFileSync(this.followed, 'utf8').trim().split('\n');
  }

  /** Writes an expression of derivations by name; each is a shell script, `\${name}` is another one's path. */
  expression(
    scripts: Readonly<Record<string, string>>,
    outputs: Readonly<Record<string, string>> = {},
  ): string {
    const file = join(this.folder, 'built.nix');
    const all = Object.entries(scripts).map(([name, script]) => {
      const named = outputs[name] === undefined ? '' : `outputs = [ ${outputs[name]} ]; `;
      return `${name} = derivation { name = "${name}"; ${named}system = "x86_64-linux"; builder = "/bin/sh";
        PATH = "${this.builderPath}"; args = [ "-c" ''${script}'' ]; };`;
    });
    writeFileSync(file, `rec {\n${all.join('\n')}\n}\n`);
    return file;
  }

  /** Runs a program of Nix in this store to its end, whatever that is. */
  nix(program: string, ...args: readonly string[]): Ended {
    return this.start(program, args, this.environment);
  }

  /** Builds attributes of an expression. */
  nixBuild(file: string, attributes: readonly string[], ...options: readonly string[]): Ended {
    const chosen = attributes.flatMap((name) => ['-A', name]);
    return this.nix('nix-build', '--no-out-link', file, ...chosen, ...options);
  }

  /** The store path of an attribute's output, built or not. */
  pathOf(file: string, attribute: string): string {
    return this.nix('nix', 'eval', '--raw', '-f', file, `${attribute}.outPath`).stdout;
  }

  derivationOf(file: string, attribute: string): string {
    return this.nix('nix', 'eval', '--raw', '-f', file, `${attribute}.drvPath`).stdout;
  }

  /** Runs the hook as a daemon does: nearly nothing in its environment, in the root directory. */
  hook(variables: NodeJS.ProcessEnv): Ended {
    return this.start(HOOK, [], { ...this.bare(), ...variables }, '/');
  }

  /** Runs nar-scan as its user would. */
  narScan(...args: readonly string[]): Ended {
    return this.start(join(ROOT, 'bin/nar-scan'), args, this.environment);
  }

  /** The environment of a hook below a daemon: where its store, its state and its policy are. */
  bare(): NodeJS.ProcessEnv {
    const names = /^(?:NIX_|NAR_SCAN_)/;
    return {
      HOME: '',
      ...Object.fromEntries(Object.entries(this.environment).filter(([name]) => names.test(name))),
    };
  }

  trail(): readonly TrailRecord[] {
    const file = join(this.state, 'audit.jsonl');
    if (!existsSync(file)) return [];
    const lines = readFileSync(file, 'utf8').trim().split('\n');
    return lines.map((line) => JSON.parse(line) as TrailRecord);
  }

  /** Texts of the reports for people, the oldest first. */
  reports(): readonly string[] {
    const folder = join(this.state, 'reports');
    if (!existsSync(folder)) return [];
    const names = readdirSync(folder).filter((name) => name.endsWith('.txt'));
    return names.toSorted().map((name) => readFileSync(join(folder, name), 'utf8'));
  }

  start(program: string, args: readonly string[], env: NodeJS.ProcessEnv, cwd = this.folder): Ended {
    const run = spawnSync(program, args, { env, cwd, timeout: MINUTE, stdio: ['ignore', 'pipe', 'pipe'] });
    if (run.error !== undefined) throw run.error;
    return { status: run.status, stdout: run.stdout.toString(), stderr: run.stderr.toString() };
  }

  /** The same, several at once. */
  async startBeside(program: string, env: NodeJS.ProcessEnv): Promise<Ended> {
    const child = spawn(program, [], { env, cwd: '/', stdio: ['ignore', 'pipe', 'pipe'] });
    const texts = ['', ''];
    child.stdout.on('data', (piece: Buffer) => (texts[0] += piece.toString()));
    child.stderr.on('data', (piece: Buffer) => (texts[1] += piece.toString()));
    const status = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    return { status, stdout: texts[0] ?? '', stderr: texts[1] ?? '' };
  }

  /** An empty directory for a test. */
  directory(name: string): string {
    const path = join(this.folder, name);
    mkdirSync(path);
    return path;
  }
}
