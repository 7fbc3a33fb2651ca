import type { ByteString } from '../model/bytes.ts';

/** Whether a path is a directory or lies in it, by their texts alone; both absolute and canonical. */
export function liesIn(path: ByteString, directory: ByteString): boolean {
  return directory === '/' || path === directory || path.startsWith(`${directory}/`);
}

/** What leads from a directory to a path, by their texts alone; both absolute and canonical. `.` from itself. */
export function relativePath(path: ByteString, directory: ByteString): ByteString {
  const to = components(path);
  const from = components(directory);
  let common = 0;
  while (common < from.length && common < to.length && from[common] === to[common]) common++;
  const up = from.slice(common).map(() => '..');
  return [...up, ...to.slice(common)].join('/') || '.';
}

function components(path: ByteString): readonly ByteString[] {
  return path === '/' ? [] : path.slice(1).split('/');
}
