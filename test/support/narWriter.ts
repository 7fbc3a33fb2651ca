/** Writes NARs from trees, and from raw tokens where they shall be malformed. Shares no code with the parser. */

export type NarTree =
  | { readonly type: 'file'; readonly contents: Buffer; readonly executable: boolean }
  | { readonly type: 'symlink'; readonly target: string }
  | { readonly type: 'directory'; readonly entries: readonly (readonly [name: string, node: NarTree])[] };

export function file(contents: string | Buffer, executable = false): NarTree {
  const bytes = typeof contents === 'string' ? Buffer.from(contents, 'latin1') : contents;
  return { type: 'file', contents: bytes, executable };
}

export function symlink(target: string): NarTree {
  return { type: 'symlink', target };
}

/** Entries are written in the order given. Names are byte strings. */
export function directory(...entries: readonly (readonly [string, NarTree])[]): NarTree {
  return { type: 'directory', entries };
}

export function uint64(value: number | bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}

/** A string token: length, bytes, padding. */
export function token(value: string | Buffer, pad = 0): Buffer {
  const bytes = typeof value === 'string' ? Buffer.from(value, 'latin1') : value;
  return Buffer.concat([uint64(bytes.length), bytes, Buffer.alloc((8 - (bytes.length % 8)) % 8, pad)]);
}

/** String tokens in a row; what is given as bytes is taken as it is. */
export function raw(...parts: readonly (string | Buffer)[]): Buffer {
  return Buffer.concat(parts.map((part) => (typeof part === 'string' ? token(part) : part)));
}

export function node(tree: NarTree): Buffer {
  switch (tree.type) {
    case 'file': {
      const marker = tree.executable ? raw('executable', '') : raw();
      return raw('(', 'type', 'regular', marker, 'contents', token(tree.contents), ')');
    }
    case 'symlink':
      return raw('(', 'type', 'symlink', 'target', tree.target, ')');
    case 'directory':
      return directoryNode(...tree.entries.map(([name, child]) => entry(name, node(child))));
  }
}

export function entry(name: string, ofNode: Buffer): Buffer {
  return raw('entry', '(', 'name', name, 'node', ofNode, ')');
}

export function directoryNode(...entries: readonly Buffer[]): Buffer {
  return raw('(', 'type', 'directory', ...entries, ')');
}

/** The NAR of a root node. */
export function narOfNode(root: Buffer): Buffer {
  return raw('nix-archive-1', root);
}

export function nar(tree: NarTree): Buffer {
  return narOfNode(node(tree));
}

/** One path of an export stream. */
export function exported(
  ofNar: Buffer,
  storePath: string,
  references: readonly string[] = [],
  deriver = '',
  signature: string | null = null,
): Buffer {
  const signed = signature === null ? uint64(0) : raw(uint64(1), signature);
  const trailer = raw(storePath, uint64(references.length), ...references, deriver, signed);
  return Buffer.concat([uint64(1), ofNar, uint64(0x4558494e), trailer]);
}
