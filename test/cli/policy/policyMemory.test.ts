import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { policyMemory, type PolicyMemory } from '../../../src/cli/policy/policyMemory.ts';
import { loadPolicy } from '../../../src/cli/policy/policyFile.ts';
import { LIMITS } from '../../../src/model/limits.ts';
import type { Policy } from '../../../src/policy/policy.ts';
import { parsePolicy } from '../../../src/policy/read.ts';

const POLICY = `
homes = ["/home/noamyr"]
allow = ["/home/noamyr/nix"]
placeholders = { add = ["somebody"] }
rules = { foreign-home = "error", build-dir = { any = "warning" } }
limits = { depth = 3, expanded = "1G" }
gaps = { ignore = ["encrypted"] }
guard = { mode = "quarantine", then = ["/bin/true", "a"], deadline = 60 }
quarantine = { size = "1G" }
notify = { url = "https://example.org/hook" }
[[waivers]]
rule = "known-home"
output = "x-*"
because = "it is a test"
expires = 2027-01-31
`;
const PATH = '/etc/nar-scan/config.toml';
const BYTES = Buffer.from(POLICY);

let state: string;
let file: string;
beforeEach(() => {
  state = mkdtempSync(join(tmpdir(), 'nar-scan-state-'));
  file = join(state, 'policy.parsed');
});
afterEach(() => rmSync(state, { recursive: true, force: true }));

const memory = (version = '1.0.0+abc'): PolicyMemory => policyMemory({ NAR_SCAN_STATE: state }, version);
const policy = parsePolicy(BYTES, PATH);

describe('what a policy file said last', () => {
  it('is the policy that reading it gives', () => {
    expect(memory().recall(PATH, BYTES)).toBeNull();
    memory().remember(PATH, BYTES, policy);
    expect(memory().recall(PATH, BYTES)).toStrictEqual(policy);
    expect(readdirSync(state)).toEqual(['policy.parsed']);
  });

  it('is not known of other bytes, of another file and to another build', () => {
    memory().remember(PATH, BYTES, policy);
    expect(memory().recall(PATH, Buffer.from(`${POLICY}\n`))).toBeNull();
    expect(memory().recall('/etc/other.toml', BYTES)).toBeNull();
    expect(memory('1.0.0+abd').recall(PATH, BYTES)).toBeNull();
  });

  it('may be of any size that a policy file may have', () => {
    const waiver = (at: number) => `{rule="known-home",output="${at}",because="x"}`;
    const waivers = Array.from({ length: 22_000 }, (_, at) => waiver(at));
    const large = Buffer.from(`waivers=[${waivers.join()}]`);
    expect(large.length).toBeGreaterThan(LIMITS.policyBytes * 0.9);
    expect(large.length).toBeLessThan(LIMITS.policyBytes);
    const parsed = parsePolicy(large, PATH);
    memory().remember(PATH, large, parsed);
    expect(memory().recall(PATH, large)).toStrictEqual(parsed);
  });

  it('is not written where it is too large to be read again', () => {
    const waiver = { ...policy.verdict.waivers[0], because: 'x'.repeat(LIMITS.policyJsonBytes) };
    const large = { ...policy, verdict: { ...policy.verdict, waivers: [waiver] } } as Policy;
    memory().remember(PATH, BYTES, large);
    expect(readdirSync(state)).toEqual([]);
    memory().remember(PATH, BYTES, policy);
    expect(memory().recall(PATH, BYTES)).toStrictEqual(policy);
  });

  it('is not kept by sources, which change without their version', () => {
    memory('1.0.0').remember(PATH, BYTES, policy);
    expect(readdirSync(state)).toEqual([]);
  });

  it('is not known where a byte of it was changed, or its end lost', () => {
    memory().remember(PATH, BYTES, policy);
    const kept = readFileSync(file);
    for (let at = 0; at < kept.length; at += 17) {
      const damaged = Buffer.from(kept);
      damaged[at] = (damaged[at] as number) ^ 1;
      writeFileSync(file, damaged);
      expect(memory().recall(PATH, BYTES), `byte ${at}`).toBeNull();
      writeFileSync(file, kept.subarray(0, at));
      expect(memory().recall(PATH, BYTES), `cut at ${at}`).toBeNull();
    }
  });

  it('is not known where others could have read or written it', () => {
    memory().remember(PATH, BYTES, policy);
    for (const mode of [0o620, 0o602, 0o640, 0o604]) {
      chmodSync(file, mode);
      expect(memory().recall(PATH, BYTES)).toBeNull();
    }
    chmodSync(file, 0o600);
    chmodSync(state, 0o777);
    expect(memory().recall(PATH, BYTES)).toBeNull();
  });

  it('is not waited for where a fifo lies in its place', () => {
    spawnSync('mkfifo', [file]);
    expect(memory().recall(PATH, BYTES)).toBeNull();
    memory().remember(PATH, BYTES, policy);
    expect(memory().recall(PATH, BYTES)).toStrictEqual(policy);
  });

  it('is kept where there is a state only', () => {
    rmSync(state, { recursive: true });
    memory().remember(PATH, BYTES, policy);
    expect(memory().recall(PATH, BYTES)).toBeNull();
    expect(existsSync(state)).toBe(false);
  });
});

describe('loading a policy with a memory', () => {
  const load = async (text: string) => {
    const path = join(state, 'config.toml');
    writeFileSync(path, text);
    const environment = { NAR_SCAN_CONFIG: path };
    return await loadPolicy(null, environment, join(state, 'none.toml'), () => memory());
  };

  it('takes what is known, and reads what was changed', async () => {
    const first = await load('homes = ["/home/noamyr"]');
    expect(await load('homes = ["/home/noamyr"]')).toStrictEqual(first);
    expect((await load('homes = ["/home/alice"]')).policy.facts.homes).toEqual(['/home/alice']);
    await expect(load('homes = 1')).rejects.toMatchObject({ code: 'POLICY_INVALID' });
    await expect(load('homes = 1')).rejects.toMatchObject({ code: 'POLICY_INVALID' });
  });
});
