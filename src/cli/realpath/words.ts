import { readFileSync } from 'node:fs';
import { byteStringOfText, type ByteString } from '../../model/bytes.ts';

/** What Node writes for bytes that are not UTF-8. */
const LOST = '\ufffd';

/**
 * This process's arguments as bytes. Where Node may have lost some, the kernel still has them.
 * @throws Error where they cannot be had
 */
export function ownArguments(): readonly ByteString[] {
  const words = process.argv.slice(2);
  if (!words.some((word) => word.includes(LOST))) return words.map(byteStringOfText);
  const all = readFileSync('/proc/self/cmdline', 'latin1').split('\0').slice(0, -1);
  return all.slice(all.length - words.length);
}

/** A variable of this process's environment as bytes, '' where it is not set. */
export function ownVariable(name: string): ByteString {
  const value = process.env[name] ?? '';
  if (!value.includes(LOST)) return byteStringOfText(value);
  const all = readFileSync('/proc/self/environ', 'latin1').split('\0');
  return all.find((line) => line.startsWith(`${name}=`))?.slice(name.length + 1) ?? '';
}
