import type { ByteString } from '../../model/bytes.ts';

/** An absolute path without repeated slashes, `.` and `..`: by text alone, for no link can be looked up. */
export function plainPath(path: ByteString): ByteString {
  const parts: ByteString[] = [];
  for (const part of path.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return `/${parts.join('/')}`;
}
