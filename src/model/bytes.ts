/**
 * File names, link targets and paths in Nix outputs are bytes, not text. They travel through the
 * program as {@link ByteString}: one character per byte, code 0 to 255 (what Node calls latin1).
 * Comparing two of them compares their bytes, they work as Map keys, and nothing is lost.
 */
export type ByteString = string & { readonly __bytes?: never };

const NOT_ASCII = /[^\u0000-\u007f]/;

/** The byte string of UTF-8 text, such as a command-line argument. */
export function byteStringOfText(text: string): ByteString {
  return NOT_ASCII.test(text) ? Buffer.from(text, 'utf8').toString('latin1') : text;
}

/** The raw bytes of a byte string. */
export function bytesOfByteString(value: ByteString): Buffer {
  return Buffer.from(value, 'latin1');
}

/** What node:fs takes as a path: text where that is exact, else the bytes. */
export function fsPath(value: ByteString): string | Buffer {
  return NOT_ASCII.test(value) ? bytesOfByteString(value) : value;
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The text of a byte string if it is valid UTF-8, else null. */
export function exactText(value: ByteString): string | null {
  if (!NOT_ASCII.test(value)) return value;
  try {
    return decoder.decode(bytesOfByteString(value));
  } catch {
    return null;
  }
}

/** The text of a byte string; bytes that are not UTF-8 become U+FFFD. For people, not for comparing. */
export function displayText(value: ByteString): string {
  return exactText(value) ?? bytesOfByteString(value).toString('utf8');
}
