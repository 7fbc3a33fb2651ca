/**
 * Shortens what stands around a leak so that the line fits `columns`; the leak itself stays whole.
 * Counts code points, which is right for everything but wide characters.
 */
export function cropAround(
  before: string,
  leak: string,
  after: string,
  columns: number,
): readonly [string, string, string] {
  const left = Array.from(before);
  const right = Array.from(after);
  const room = Math.max(0, columns - Array.from(leak).length);
  if (left.length + right.length <= room) return [before, leak, after];
  const half = Math.floor(room / 2);
  const leftRoom = Math.max(half, room - right.length);
  const rightRoom = Math.max(room - half, room - left.length);
  return [
    left.length <= leftRoom ? before : `…${left.slice(left.length - Math.max(0, leftRoom - 1)).join('')}`,
    leak,
    right.length <= rightRoom ? after : `${right.slice(0, Math.max(0, rightRoom - 1)).join('')}…`,
  ];
}

/** Text broken at spaces into lines of at most `columns` (a longer word stands alone), each with the indent. */
export function wrapped(text: string, indent: string, columns: number): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && indent.length + line.length + 1 + word.length > columns) {
      lines.push(indent + line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  lines.push(indent + line);
  return lines;
}
