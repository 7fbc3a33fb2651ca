import { existsSync, type Stats } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { unsafeAt } from '../../ledger/ownership.ts';
import { readSettingsFile, SettingsFileFault } from '../../ledger/settingsFile.ts';
import { NarScanError } from '../../model/errors.ts';
import { LIMITS } from '../../model/limits.ts';
import { BUILT_IN_POLICY, type Policy } from '../../policy/policy.ts';
import type { PolicyMemory } from './policyMemory.ts';

/** The policy that counts, and where it is from. */
export interface LoadedPolicy {
  readonly policy: Policy;
  /** Null: no file, the built-in one. */
  readonly path: string | null;
  /** Files that are there as well and do not count. */
  readonly others: readonly string[];
}

/** A policy file that counts, not yet read as a policy. */
interface FoundPolicy {
  readonly path: string;
  readonly bytes: Buffer;
  readonly others: readonly string[];
}

/**
 * How a policy file came to be read: a person named it, the environment did, or it was found in one of
 * the usual places. What a person names is theirs to judge; the others must be nobody else's to write.
 */
type PolicyOrigin = 'named' | 'environment' | 'usual';

/** Where the policy of the machine lies. */
const SYSTEM = '/etc/nar-scan/config.toml';

/**
 * The policy of the first policy file that there is; see {@link findPolicy}.
 * @param memoryOf where one may be known already
 * @throws NarScanError POLICY_UNREADABLE, POLICY_INVALID, POLICY_UNSAFE
 */
export async function loadPolicy(
  named: string | null,
  environment: NodeJS.ProcessEnv,
  system: string = SYSTEM,
  memoryOf: (() => PolicyMemory) | null = null,
): Promise<LoadedPolicy> {
  const found = findPolicy(named, environment, system);
  if (found === null) return { policy: BUILT_IN_POLICY, path: null, others: [] };
  const { path, bytes, others } = found;
  const memory = memoryOf?.() ?? null;
  const known = memory?.recall(path, bytes) ?? null;
  if (known !== null) return { policy: known, path, others };
  const { parsePolicy } = await import('../../policy/read.ts');
  const policy = parsePolicy(bytes, path);
  memory?.remember(path, bytes, policy);
  return { policy, path, others };
}

/**
 * The first policy file that there is: the one that was named, that of NAR_SCAN_CONFIG, the user's,
 * the machine's. It counts alone, and as a whole.
 * @param named by `--policy`
 * @throws NarScanError POLICY_UNREADABLE, POLICY_UNSAFE
 */
export function findPolicy(
  named: string | null,
  environment: NodeJS.ProcessEnv,
  system: string = SYSTEM,
): FoundPolicy | null {
  const usual = usualPlaces(environment, system);
  const variable = setting(environment, 'NAR_SCAN_CONFIG');
  const [origin, places] =
    named !== null
      ? (['named', [named]] as const)
      : variable !== null
        ? (['environment', [variable]] as const)
        : (['usual', usual] as const);
  for (const path of places) {
    const bytes = readPolicyFile(path, origin);
    if (bytes === null) continue;
    return { path, bytes, others: usual.filter((other) => other !== path && existsSync(other)) };
  }
  return null;
}

/**
 * The bytes of a policy file: whatever it is, no more than a policy may have are read. One that no
 * person named must be nobody else's to write: it decides what is let through, and what a hook starts.
 * @returns null where a file that was not asked for is not there
 * @throws NarScanError POLICY_UNREADABLE, POLICY_UNSAFE
 */
export function readPolicyFile(path: string, origin: PolicyOrigin): Buffer | null {
  try {
    return readSettingsFile(path, LIMITS.policyBytes, (status) => {
      // everybody may write to /dev/null
      if (origin !== 'named' && status.isFile()) refuseUnsafe(path, status);
    });
  } catch (error) {
    if (!(error instanceof SettingsFileFault)) throw error;
    if (origin === 'usual' && error.isMissing) return null;
    throw unreadable(path, error);
  }
}

/** The places that are looked at when no file is named, the first first. */
function usualPlaces(environment: NodeJS.ProcessEnv, system: string): readonly string[] {
  const home = setting(environment, 'HOME');
  const named = setting(environment, 'XDG_CONFIG_HOME');
  const configuration =
    named !== null && isAbsolute(named)
      ? named
      : home !== null && isAbsolute(home)
        ? join(home, '.config')
        : null;
  return [...(configuration === null ? [] : [join(configuration, 'nar-scan', 'config.toml')]), system];
}

function setting(environment: NodeJS.ProcessEnv, name: string): string | null {
  const value = environment[name] ?? '';
  return value === '' ? null : value;
}

/** What decides what is let through must be nobody else's to change. */
function refuseUnsafe(path: string, file: Stats): void {
  const found = unsafeAt(path, file);
  if (found === null) return;
  throw new NarScanError('POLICY_UNSAFE', `the policy at ${found.path} is not used: ${found.why}`);
}

function unreadable(path: string, { message, cause }: SettingsFileFault): NarScanError {
  return new NarScanError('POLICY_UNREADABLE', `the policy ${path} cannot be read: ${message}`, { cause });
}
