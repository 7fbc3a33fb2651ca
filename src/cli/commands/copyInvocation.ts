import { refuseNixFlags } from '../../guard/copy/nixFlags.ts';
import { type StoreUrl, storeUrl } from '../../guard/copy/storeUrl.ts';
import { NarScanError } from '../../model/errors.ts';
import type { Arguments } from '../arguments.ts';
import { formatOf } from '../format.ts';
import { type Invocation, invocationOf } from '../invocation.ts';

const COPY_FORMATS = ['human', 'json', 'jsonl'] as const;

/** A command line of copy that was understood. */
export interface CopyInvocation extends Omit<Invocation, 'format'> {
  readonly format: (typeof COPY_FORMATS)[number];
  readonly to: StoreUrl;
  readonly skip: boolean;
  readonly dryRun: boolean;
  readonly staged: boolean;
  /** Whether a cache server of ours is told the homes that are searched for. */
  readonly registersHomes: boolean;
  readonly nixFlags: readonly string[];
}

/** @throws NarScanError USAGE_MISSING_VALUE, USAGE_NO_PATH, USAGE_BAD_VALUE, and as {@link invocationOf} */
export function copyInvocationOf(said: Arguments, environment: NodeJS.ProcessEnv): CopyInvocation {
  const [to, ...others] = said.all('to');
  if (to === undefined) throw new NarScanError('USAGE_MISSING_VALUE', 'copy needs --to URL');
  if (others.length > 0) {
    throw new NarScanError('USAGE_BAD_VALUE', '--to stands more than once: copy sends to one store');
  }
  if (said.targets.length === 0) throw new NarScanError('USAGE_NO_PATH', 'copy needs a store path');
  const refusal = refuseNixFlags(said.passedOn);
  if (refusal !== null) throw new NarScanError('USAGE_BAD_VALUE', refusal);
  return {
    ...invocationOf(said, environment),
    format: formatOf(said, COPY_FORMATS),
    to: storeUrl(to),
    skip: said.has('skip-contaminated'),
    dryRun: said.has('dry-run'),
    staged: !said.has('no-staging'),
    registersHomes: !said.has('no-register-homes'),
    nixFlags: said.passedOn,
  };
}
