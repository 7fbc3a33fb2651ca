import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import blakeHash from '@napi-rs/blake-hash';
import { engineVersion } from '../../ledger/engine.ts';
import { readSettingsFile } from '../../ledger/settingsFile.ts';
import { stateDirForReading } from '../../ledger/stateDir.ts';
import { LIMITS } from '../../model/limits.ts';
import type { Policy } from '../../policy/policy.ts';

/** In the state directory: the digest of all that follows, the key, the policy as JSON, a line each. */
const FILE = 'policy.parsed';
const FILE_MODE = 0o600;
const OTHERS_MAY = 0o077;

/** What a policy file said when it was read last: reading TOML and checking it takes longer than a small scan. */
export interface PolicyMemory {
  /** The policy of a file with exactly these bytes, or null where it is not known. */
  recall(path: string, bytes: Buffer): Policy | null;
  /** Keeps a policy that was read and found right. It may fail: nothing is lost by it but time. */
  remember(path: string, bytes: Buffer, policy: Policy): void;
}

/**
 * The memory of the last policy, for one that starts often. It lies beside the ledger and is as good as that is:
 * nobody but this user may write there, and what another build of this program has written is not known.
 *
 * @param environment says where the state lies
 * @param version of this program, with a digest of its code
 */
export function policyMemory(
  environment: NodeJS.ProcessEnv,
  version: string = engineVersion(),
): PolicyMemory {
  // sources may change without their version
  const file = version.includes('+') ? fileIn(environment) : null;
  if (file === null) return { recall: () => null, remember: () => undefined };
  const keyOf = (path: string, bytes: Buffer): string =>
    digestOf(Buffer.from(JSON.stringify([version, path, bytes.toString('latin1')])));
  return {
    recall(path, bytes) {
      const text = textOf(file);
      if (text === null) return null;
      const head = `${keyOf(path, bytes)}\n`;
      return text.startsWith(head) ? (JSON.parse(text.slice(head.length)) as Policy) : null;
    },
    remember(path, bytes, policy) {
      const text = Buffer.from(`${keyOf(path, bytes)}\n${JSON.stringify(policy)}`);
      const kept = Buffer.concat([Buffer.from(`${digestOf(text)}\n`), text]);
      // what is larger would not be read
      if (kept.length <= LIMITS.policyJsonBytes) write(file, kept);
    },
  };
}

/** The text behind the digest, where it has that digest and is nobody else's to write; else null. */
function textOf(file: string): string | null {
  let bytes: Buffer;
  try {
    bytes = readSettingsFile(file, LIMITS.policyJsonBytes, ({ uid, mode }) => {
      if (uid !== process.geteuid?.() || (mode & OTHERS_MAY) !== 0) throw new Error('it may be anybody’s');
    });
  } catch {
    // what cannot be read is not known
    return null;
  }
  const end = bytes.indexOf('\n');
  const text = bytes.subarray(end + 1);
  return end >= 0 && bytes.toString('latin1', 0, end) === digestOf(text) ? text.toString() : null;
}

function write(file: string, bytes: Buffer): void {
  const aside = `${file}.${process.pid}.tmp`;
  try {
    writeFileSync(aside, bytes, { mode: FILE_MODE, flag: 'wx' });
    renameSync(aside, file);
  } catch {
    // a full disk, or a state that is not to be written to: it is read as a policy again
    rmSync(aside, { force: true });
  }
}

function fileIn(environment: NodeJS.ProcessEnv): string | null {
  try {
    const directory = stateDirForReading(environment);
    return directory === null ? null : join(directory, FILE);
  } catch {
    // whoever needs the state tells what is wrong with it
    return null;
  }
}

function digestOf(bytes: Buffer): string {
  return blakeHash.blake3(bytes).toString('hex');
}
