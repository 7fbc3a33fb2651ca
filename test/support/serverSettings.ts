import type { ServerSettings } from '../../src/admission/settings.ts';
import { BUILT_IN_POLICY } from '../../src/policy/policy.ts';

/** How a server is run that nobody has said anything to. */
export function serverSettings(state: string, said: Partial<ServerSettings> = {}): ServerSettings {
  return {
    state,
    storeDir: '/nix/store',
    policy: BUILT_IN_POLICY,
    hostHomes: false,
    publicUrl: null,
    scans: 1,
    dryRun: false,
    version: '0',
    ...said,
  };
}
