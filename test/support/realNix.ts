import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** Compression names that `nix copy` knows without a program beside it. */
export const NIX_COMPRESSIONS = [
  'none',
  'xz',
  'zstd',
  'bzip2',
  'gzip',
  'br',
  'lz4',
  'lzip',
  'lzma',
  'compress',
] as const;
export type NixCompression = (typeof NIX_COMPRESSIONS)[number];

/** A home that is to leak: the real `/home/noamyr` where that can be made and taken away again. */
function makeHome(folder: string): { home: string; made: string } {
  const wanted = '/home/noamyr';
  try {
    mkdirSync(wanted);
    return { home: wanted, made: wanted };
  } catch {
    const home = join(folder, 'home/noamyr');
    mkdirSync(home, { recursive: true });
    return { home, made: home };
  }
}

/** Whether the Nix on PATH can use a store behind a link: from 2.20 to 2.34 it refuses to read there. */
export function takesLinkedStores(): boolean {
  const said = execFileSync('nix-store', ['--version']).toString();
  const [, major = '', minor = ''] = /(\d+)\.(\d+)/.exec(said) ?? [];
  const version = Number(major) * 1000 + Number(minor);
  return version < 2020 || version > 2034;
}

/**
 * A store of the real Nix that is reached through a symbolic link and lies in a home, as users without
 * root keep one. Offline, without sandbox or daemon. Dispose of it to leave nothing behind.
 *
 * Where Nix cannot use such a store, the link goes the other way, and builders have a `realpath` that
 * answers as if it did not: what outputs hold and what Nix does with them is the same.
 */
export class SymlinkedStore implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'nar-scan-nix-'));
  /** The home in which the store really lies. */
  readonly home: string;
  /** The logical store dir: a link to {@link physicalStoreDir}. */
  readonly storeDir = join(this.folder, 'store');
  readonly physicalStoreDir: string;
  /** The PATH of builders. */
  readonly builderPath: string = '/usr/bin:/bin';
  readonly #made: string;
  /** In which programs find this store. */
  readonly environment: NodeJS.ProcessEnv;

  constructor() {
    const { home, made } = makeHome(this.folder);
    this.home = home;
    this.#made = made;
    this.physicalStoreDir = join(home, 'nix/store');
    const configuration = join(this.folder, 'conf');
    mkdirSync(join(home, 'nix/var'), { recursive: true });
    mkdirSync(configuration);
    if (takesLinkedStores()) {
      mkdirSync(this.physicalStoreDir);
      symlinkSync(this.physicalStoreDir, this.storeDir);
    } else {
      mkdirSync(this.storeDir);
      symlinkSync(this.storeDir, this.physicalStoreDir);
      this.builderPath = `${this.#seemingRealpath()}:${this.builderPath}`;
    }
    symlinkSync(join(home, 'nix/var'), join(this.folder, 'var'));
    writeFileSync(
      join(configuration, 'nix.conf'),
      'substituters =\nsandbox = false\nbuild-users-group =\nexperimental-features = nix-command\n',
    );
    this.environment = {
      PATH: process.env['PATH'],
      HOME: home,
      XDG_CACHE_HOME: join(this.folder, 'cache'),
      NIX_STORE_DIR: this.storeDir,
      NIX_STATE_DIR: join(this.folder, 'var/nix'),
      NIX_LOG_DIR: join(this.folder, 'var/log'),
      NIX_CONF_DIR: configuration,
      NIX_IGNORE_SYMLINK_STORE: '1',
    };
  }

  /** What a program of Nix prints about this store. */
  run(program: string, args: readonly string[]): Buffer {
    return execFileSync(program, args, {
      env: this.environment,
      cwd: this.folder,
      maxBuffer: 1024 * 1024 * 1024,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  }

  /** Builds a derivation of this name with a shell script and returns its store path. */
  build(name: string, script: string, inputs: readonly string[] = []): string {
    return this.buildExpression(name, derivationOf(name, script, inputs, this.builderPath)).trim();
  }

  /** Builds what an expression in a file of this name says; paths in it count from {@link folder}. */
  buildExpression(name: string, expression: string): string {
    const file = join(this.folder, `${name}.nix`);
    writeFileSync(file, expression);
    return this.run('nix-build', ['--no-out-link', file]).toString();
  }

  /** The derivation that a store path was built from. */
  deriver(path: string): string {
    return this.run('nix-store', ['--query', '--deriver', path]).toString().trim();
  }

  /** Takes a path out of the store. */
  delete(path: string): void {
    this.run('nix-store', ['--delete', '--ignore-liveness', path]);
  }

  /** The NAR of a store path. */
  dump(path: string): Buffer {
    return this.run('nix-store', ['--dump', path]);
  }

  /** The export stream of store paths. */
  export(...paths: readonly string[]): Buffer {
    return this.run('nix-store', ['--export', ...paths]);
  }

  /** The registered NarHash, such as `sha256:1x…`. */
  narHash(path: string): string {
    return this.run('nix-store', ['--query', '--hash', path]).toString().trim();
  }

  /** Makes equal files of the store hard links of each other. */
  optimise(): void {
    this.run('nix-store', ['--optimise']);
  }

  /** Adds a file that is named by its content, and returns its store path. */
  add(contents: string): string {
    const file = join(this.folder, 'added');
    writeFileSync(file, contents);
    return this.run('nix-store', ['--add', file]).toString().trim();
  }

  /** Copies store paths and all they refer to as `nix copy` does. */
  copy(to: string, ...paths: readonly string[]): void {
    this.run('nix', ['copy', '--to', to, ...paths]);
  }

  /** Copies a store path to a binary cache in a folder and returns the file of its NAR there. */
  copyToCache(path: string, compression: NixCompression): string {
    const cache = mkdtempSync(join(this.folder, `cache-${compression}-`));
    this.copy(`file://${cache}?compression=${compression}`, path);
    const [file, ...others] = readdirSync(join(cache, 'nar'));
    if (file === undefined || others.length > 0) throw new Error(`not one NAR in ${cache}`);
    return join(cache, 'nar', file);
  }

  /** A folder of a `realpath` that finds the logical store dir in the home. */
  #seemingRealpath(): string {
    const folder = join(this.folder, 'builder-bin');
    mkdirSync(folder);
    const script = `case $1 in '${this.storeDir}'*) echo "${this.physicalStoreDir}\${1#'${this.storeDir}'}";; *) exec /usr/bin/realpath "$@";; esac`;
    writeFileSync(join(folder, 'realpath'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    return folder;
  }

  [Symbol.dispose](): void {
    execFileSync('chmod', ['-R', 'u+w', this.#made, this.folder]);
    rmSync(this.#made, { recursive: true, force: true });
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/**
 * A store of the real Nix below a home that Nix knows as `/nix/store`: bound there by bubblewrap, or
 * as a chroot store. Dispose of it to leave nothing behind.
 */
export class HomeStore implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'nar-scan-nix-'));
  readonly home: string;
  /** What is bound to `/nix`, or the root of the chroot store. */
  readonly place: string;
  /** Where the store really lies. */
  readonly physicalStoreDir: string;
  readonly #made: string;
  readonly #chroot: boolean;

  constructor(kind: 'bound' | 'chroot') {
    const { home, made } = makeHome(this.folder);
    this.home = home;
    this.#made = made;
    this.#chroot = kind === 'chroot';
    // where Nix has the store of a user by itself
    this.place = join(home, this.#chroot ? '.local/share/nix/root' : 'nix');
    this.physicalStoreDir = join(this.place, this.#chroot ? 'nix/store' : 'store');
    mkdirSync(this.physicalStoreDir, { recursive: true });
    const sandbox = this.#chroot ? 'true\nsandbox-paths = /bin /lib /lib64 /usr' : 'false';
    const rest = 'build-users-group =\nexperimental-features = nix-command\n';
    writeFileSync(join(this.folder, 'nix.conf'), `substituters =\nsandbox = ${sandbox}\n${rest}`);
  }

  /** The words of a command line, run where the store is seen. */
  seen(...words: readonly string[]): readonly string[] {
    if (this.#chroot) return words;
    return ['bwrap', '--dev-bind', '/', '/', '--bind', this.place, '/nix', ...words];
  }

  /** Builds a derivation of this name with a shell script and returns its store path. */
  build(name: string, script: string, variables: NodeJS.ProcessEnv = {}): string {
    const file = join(this.folder, `${name}.nix`);
    writeFileSync(file, derivationOf(name, script));
    const words = ['nix-build', ...(this.#chroot ? ['--store', this.place] : []), '--no-out-link', file];
    const [program = '', ...args] = this.seen(...words);
    const environment = {
      PATH: process.env['PATH'],
      HOME: this.home,
      XDG_CACHE_HOME: join(this.folder, 'cache'),
      NIX_CONF_DIR: this.folder,
      ...variables,
    };
    const output = execFileSync(program, args, {
      env: environment,
      cwd: this.folder,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    return output.toString().trim();
  }

  [Symbol.dispose](): void {
    execFileSync('chmod', ['-R', 'u+w', this.#made, this.folder]);
    rmSync(this.#made, { recursive: true, force: true });
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/**
 * @param inputs store paths that the build may refer to
 * @param path the PATH of its builder
 */
function derivationOf(
  name: string,
  script: string,
  inputs: readonly string[] = [],
  path = '/usr/bin:/bin',
): string {
  const named = inputs.map((path) => `(builtins.storePath ${path})`).join(' ');
  return `derivation { inputs = [ ${named} ]; name = "${name}"; system = "x86_64-linux"; builder = "/bin/sh"; PATH = "${path}";
  args = [ "-c" ''\n${script}\n'' ]; }\n`;
}

/** The NAR of any file or directory, by the real Nix. */
export function narOf(path: string): Buffer {
  return execFileSync('nix-store', ['--dump', path], {
    cwd: dirname(path),
    maxBuffer: 1024 * 1024 * 1024,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}
