import { bytesOfByteString, type ByteString } from '../../model/bytes.ts';

/** What may stand in a path of a URI as it is (RFC 3986, unreserved), and the slash. */
const AS_IT_IS = /[A-Za-z0-9\-._~/]/;

/** Bytes of a path as a path of a URI: everything that could mean something there is percent-encoded. */
function percentEncoded(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) {
    const character = String.fromCharCode(byte);
    text += AS_IT_IS.test(character) ? character : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return text;
}

/** An entry as a relative reference, which keeps every byte of its name; `.` is the output itself. */
export function entryUri(entry: ByteString): string {
  if (entry === '') return '.';
  const path = percentEncoded(bytesOfByteString(entry));
  return path.startsWith('/') ? `.${path}` : path;
}

/** An absolute path as a base that entries are resolved against. */
export function baseUri(path: string): string {
  return `file://${percentEncoded(Buffer.from(path, 'utf8'))}`.replace(/\/*$/, '/');
}
