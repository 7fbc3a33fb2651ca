/**
 * Reads a NAR the way Nix's src/libutil/archive.cc does it: all of it in memory, by recursion, one field
 * after the other. Slow, and plain enough to be right; the parser must agree with it on every input.
 * Returns the lines that a NarRecorder would note, or null if it is no NAR or bytes follow it.
 */
export function linesByOracle(bytes: Buffer): string[] | null {
  const lines: string[] = [];
  let at = 0;
  const refuse = (): never => {
    throw new Refusal();
  };

  const number = (): number => {
    if (at + 8 > bytes.length) refuse();
    const value = bytes.readBigUInt64LE(at);
    at += 8;
    return value > BigInt(bytes.length) ? refuse() : Number(value);
  };
  const text = (longest: number): string => {
    const length = number();
    if (length > longest || at + length > bytes.length) refuse();
    const value = bytes.toString('latin1', at, at + length);
    at += length;
    for (; at % 8 !== 0; at++) if (bytes[at] !== 0) refuse();
    return value;
  };
  const expectTag = (tag: string): void => {
    if (text(32) !== tag) refuse();
  };

  const directory = (path: string, depth: number): void => {
    lines.push(`directory ${path}`);
    for (let last = '', tag = text(32); tag !== ')'; tag = text(32)) {
      if (tag !== 'entry') refuse();
      expectTag('(');
      expectTag('name');
      const name = text(255);
      if (name === '' || name === '.' || name === '..' || /[/\0]/.test(name) || name <= last) refuse();
      last = name;
      expectTag('node');
      node(path === '' ? name : `${path}/${name}`, depth + 1);
      expectTag(')');
    }
  };
  const regular = (path: string): void => {
    let tag = text(32);
    const executable = tag === 'executable';
    if (executable) {
      text(0);
      tag = text(32);
    }
    if (tag !== 'contents') refuse();
    const before = at;
    const contents = text(bytes.length);
    lines.push(`${executable ? 'executable' : 'file'} ${path} of ${bytes.readBigUInt64LE(before)}`);
    if (contents !== '') lines.push(`contents ${contents}`);
    lines.push('end of file');
    expectTag(')');
  };
  const node = (path: string, depth: number): void => {
    if (depth >= 64) refuse();
    expectTag('(');
    expectTag('type');
    const type = text(32);
    if (type === 'regular') regular(path);
    else if (type === 'directory') directory(path, depth);
    else if (type === 'symlink') {
      expectTag('target');
      const target = text(4095);
      if (target === '' || target.includes('\0')) refuse();
      lines.push(`symlink ${path} -> ${target}`);
      expectTag(')');
    } else refuse();
  };

  try {
    expectTag('nix-archive-1');
    node('', 0);
    return at === bytes.length ? lines : null;
  } catch (error) {
    if (error instanceof Refusal) return null;
    throw error;
  }
}

class Refusal extends Error {}
