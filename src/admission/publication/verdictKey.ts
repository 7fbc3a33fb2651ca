import { randomUUID } from 'node:crypto';
import { existsSync, linkSync, lstatSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { syncDirectory, writeSynced } from '../../ledger/durable.ts';
import { unsafeAt } from '../../ledger/ownership.ts';
import { stateNotWritten, stateUnreadable } from '../../ledger/stateDir.ts';
import { NarScanError } from '../../model/errors.ts';
import { LIMITS } from '../../model/limits.ts';
import {
  generateSecretKey,
  parseSecretKey,
  sameKey,
  type SecretKey,
  secretKeyText,
} from '../../nix/signature.ts';

const FILE = 'verdict-key';
const NAME = 'nar-scan-verdict-1';
const PRIVATE = 0o600;
const OTHERS = 0o077;

/**
 * The key that signs verdicts; it is made at the first start. It is never the one that signs paths: a client that trusts
 * verdicts does not trust builds by that, nor the other way round.
 *
 * @param state the state directory
 * @param signing the key that signs paths, if there is one
 * @throws NarScanError KEY_INVALID, STATE_UNSAFE, STATE_UNREADABLE, STATE_NOT_WRITTEN
 */
export function openVerdictKey(state: string, signing: SecretKey | null): SecretKey {
  const path = join(state, FILE);
  if (!existsSync(path)) make(path);
  const key = read(path);
  if (signing !== null && sameKey(key.publicKey, signing.publicKey))
    throw new NarScanError('KEY_INVALID', `'${path}' is the key of --sign-key; a verdict takes another one`);
  return key;
}

/** Whole or not at all, and where two servers start at once the first one's. */
function make(path: string): void {
  const unfinished = `${path}.${randomUUID()}`;
  try {
    writeSynced(unfinished, [`${secretKeyText(generateSecretKey(NAME))}\n`], PRIVATE);
    linkSync(unfinished, path);
    syncDirectory(dirname(path));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw stateNotWritten(path, error);
  } finally {
    rmSync(unfinished, { force: true });
  }
}

function read(path: string): SecretKey {
  let text: string;
  try {
    const status = lstatSync(path);
    const unsafe = unsafeAt(path, status);
    if (unsafe !== null) throw new NarScanError('STATE_UNSAFE', `'${unsafe.path}': ${unsafe.why}`);
    if ((status.mode & OTHERS) !== 0) throw new NarScanError('STATE_UNSAFE', `'${path}': others may read it`);
    if (!status.isFile() || status.size > LIMITS.keyBytes) throw new Error('it is no file with a key');
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw stateUnreadable(path, error);
  }
  try {
    return parseSecretKey(text.trimEnd());
  } catch {
    throw new NarScanError(
      'KEY_INVALID',
      `'${path}' holds no secret key; where it is gone a new one is made`,
    );
  }
}
