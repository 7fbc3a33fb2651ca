import { readSettingsFile, SettingsFileFault } from '../../ledger/settingsFile.ts';
import { NarScanError } from '../../model/errors.ts';
import { LIMITS } from '../../model/limits.ts';
import { parseSecretKey, type SecretKey } from '../../nix/signature.ts';

const OTHERS = 0o007;

/**
 * The secret key that signs what is published, from a file as `nix-store --generate-binary-cache-key` writes it.
 * @throws NarScanError KEY_UNREADABLE, KEY_INVALID; nothing of the key is in the message
 */
export function readSigningKey(path: string): SecretKey {
  let text: string;
  try {
    const bytes = readSettingsFile(path, LIMITS.keyBytes, ({ mode }) => {
      if ((mode & OTHERS) !== 0) throw new SettingsFileFault('everybody may read or change it', false);
    });
    text = bytes.toString('latin1').trimEnd();
  } catch (error) {
    if (!(error instanceof SettingsFileFault)) throw error;
    throw new NarScanError('KEY_UNREADABLE', `the key in '${path}' is not used: ${error.message}`, {
      cause: error,
    });
  }
  return parseSecretKey(text);
}
