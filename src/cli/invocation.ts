import { availableParallelism } from 'node:os';
import { NarScanError } from '../model/errors.ts';
import type { ContainerLimits } from '../inspect/containers/budget.ts';
import { sizeOf } from '../model/size.ts';
import { refuseHome } from '../needles/homes.ts';
import { localStoreOf } from '../nix/localStore.ts';
import { DEFAULT_STORE_DIR } from '../nix/storePath.ts';
import { storeUrlOf } from '../nix/usualStore.ts';
import type { Surrounded } from '../scan/scan.ts';
import type { Reach } from '../scan/targets.ts';
import type { Arguments } from './arguments.ts';
import type { FlagName } from './flags.ts';
import { type Color, COLORS, type Format, FORMATS } from './flags/scanFlags.ts';

/** A command line that was understood: what to scan, and how to tell. */
export interface Invocation extends Surrounded {
  readonly targets: readonly string[];
  readonly reach: Reach;
  readonly jobs: number;
  /** Limits of what containers may cost, where others were asked for than the built-in ones. */
  readonly limits: Partial<ContainerLimits>;
  /** Whether NARs and store paths are hashed, and what is found in store paths is remembered. */
  readonly hashNars: boolean;
  /** Stdin is an export stream for sure; else its first bytes tell. */
  readonly exportStream: boolean;
  /** The file of the derivation that targets were built from. */
  readonly drv?: string;
  readonly strict: boolean;
  /** The policy file that was asked for; null: the first of the usual ones. */
  readonly policy: string | null;
  /** The policy file to which waivers for what blocks today are added. */
  readonly updateBaseline: string | null;
  readonly format: Format | 'print-clean';
  /** File the report goes to; null is stdout. */
  readonly output: string | null;
  readonly quiet: boolean;
  readonly verbose: boolean;
  readonly color: Color;
}

/** How stdin is named in a list of targets. */
export const STDIN = '-';

/**
 * Understands a command line in its environment. Nothing on disk is looked at but what says which store is meant.
 * @throws NarScanError USAGE_BAD_HOME, USAGE_BAD_VALUE, USAGE_NO_TARGET
 */
export function invocationOf(said: Arguments, environment: NodeJS.ProcessEnv): Invocation {
  const printClean = said.has('print-clean');
  if (printClean && said.has('format')) {
    throw new NarScanError('USAGE_BAD_VALUE', '--print-clean and --format exclude each other');
  }
  const jobs = said.last('jobs');
  const drv = said.last('drv');
  return {
    targets: targetsOf(said, printClean),
    reach: reachOf(said),
    ...surroundedOf(said, environment),
    jobs: jobs === null ? availableParallelism() : Number(jobs),
    limits: limitsOf(said),
    hashNars: !said.has('no-ledger'),
    exportStream: said.has('export'),
    ...(drv === null ? {} : { drv }),
    strict: said.has('strict'),
    policy: said.last('policy'),
    updateBaseline: said.last('update-baseline'),
    format: printClean ? 'print-clean' : chosen(FORMATS, said.last('format'), 'human'),
    output: said.last('output'),
    quiet: said.has('quiet'),
    verbose: said.has('verbose'),
    color: chosen(COLORS, said.last('color'), 'auto'),
  };
}

/**
 * What the command line and the environment say of homes and stores.
 * @throws NarScanError USAGE_BAD_HOME, USAGE_BAD_VALUE
 */
export function surroundedOf(said: Arguments, environment: NodeJS.ProcessEnv): Surrounded {
  const url = said.last('store');
  if (url !== null && localStoreOf(url) === null) {
    throw new NarScanError('USAGE_BAD_VALUE', `--store: '${url}' is no store on this machine`);
  }
  const store = storeUrlOf(url, environment);
  return {
    storeDir: storeDirOf(said, environment, store),
    ...(store === undefined ? {} : { store }),
    homes: said.all('home').map(checkedHome),
    hostHomes: !said.has('no-host-homes'),
    aliases: said.all('alias').map(withoutTrailingSlash),
  };
}

/** Values were checked as text before. */
function limitsOf(said: Arguments): Partial<ContainerLimits> {
  const number = (flag: FlagName): number | null => {
    const text = said.last(flag);
    return text === null ? null : (sizeOf(text) ?? Number(text));
  };
  const limits = {
    depth: number('max-depth'),
    expandedBytes: number('max-expanded'),
    ratio: number('max-ratio'),
    entries: number('max-members'),
    seconds: number('max-seconds'),
  };
  return Object.fromEntries(Object.entries(limits).filter(([, value]) => value !== null));
}

function chosen<T extends string>(choices: readonly T[], said: string | null, otherwise: T): T {
  return choices.find((choice) => choice === said) ?? otherwise;
}

function targetsOf(said: Arguments, printClean: boolean): readonly string[] {
  const implied = (said.has('stdin') || said.has('export')) && !said.targets.includes(STDIN);
  const targets = implied ? [...said.targets, STDIN] : said.targets;
  if (said.has('all')) {
    const [target] = targets;
    if (target === undefined) return [];
    throw new NarScanError('USAGE_BAD_VALUE', `--all scans every valid path: '${target}' cannot be named`);
  }
  if (targets.length === 0) throw new NarScanError('USAGE_NO_TARGET', 'nothing to scan');
  if (targets.includes('')) throw new NarScanError('USAGE_NO_TARGET', 'a target is empty');
  if (targets.filter((target) => target === STDIN).length > 1) {
    throw new NarScanError('USAGE_NO_TARGET', 'stdin can be read only once');
  }
  const broken = printClean ? targets.find((target) => /[\r\n]/.test(target)) : undefined;
  if (broken !== undefined) {
    throw new NarScanError('USAGE_BAD_VALUE', `--print-clean: '${broken}' has a line break in its name`);
  }
  return targets;
}

function reachOf(said: Arguments): Reach {
  if (said.has('all')) return 'all';
  return said.has('closure') ? 'closure' : 'named';
}

function storeDirOf(said: Arguments, environment: NodeJS.ProcessEnv, store: string | undefined): string {
  const flag = said.last('store-dir');
  if (flag !== null) return withoutTrailingSlash(flag);
  const named = store === undefined ? null : (localStoreOf(store)?.storeDir ?? null);
  if (named !== null) return named;
  const inherited = environment['NIX_STORE_DIR'] ?? '';
  if (inherited === '') return DEFAULT_STORE_DIR;
  if (!inherited.startsWith('/') || inherited.split('/').includes('..') || /^[/.]*$/.test(inherited)) {
    throw new NarScanError(
      'USAGE_BAD_VALUE',
      `NIX_STORE_DIR: '${inherited}' is no absolute path of a directory`,
    );
  }
  return withoutTrailingSlash(inherited);
}

function checkedHome(path: string): string {
  const refusal = refuseHome(path);
  if (refusal !== null) throw new NarScanError('USAGE_BAD_HOME', `--home: '${path}' ${refusal}`);
  return path;
}

function withoutTrailingSlash(path: string): string {
  return `/${path
    .split('/')
    .filter((part) => part !== '' && part !== '.')
    .join('/')}`;
}
