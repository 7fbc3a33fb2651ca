export interface Lz4Result {
  /** Where the decoded bytes end in `to`, also of a damaged block. */
  readonly end: number;
  readonly valid: boolean;
}

/**
 * Decodes one lz4 block (lz4_Block_format.md) into `to` from `at` on, up to `limit`.
 * Matches may reach back to `floor`, the start of the history that lies before `at`.
 */
export function decodeLz4Block(
  from: Uint8Array,
  to: Uint8Array,
  at: number,
  limit: number,
  floor: number,
): Lz4Result {
  const length = from.length;
  let read = 0;
  let end = at;
  while (read < length) {
    const token = from[read++]!;
    let literals = token >> 4;
    if (literals === 15) {
      let more = 255;
      while (more === 255 && read < length) literals += more = from[read++]!;
      if (more === 255) return { end, valid: false };
    }
    if (literals > length - read || literals > limit - end) return { end, valid: false };
    if (literals > 32) {
      to.set(from.subarray(read, read + literals), end);
      read += literals;
      end += literals;
    } else {
      for (let left = literals; left > 0; left -= 1) to[end++] = from[read++]!;
    }
    // The last sequence of a block has literals only.
    if (read === length) return { end, valid: true };
    if (read + 2 > length) return { end, valid: false };
    const distance = from[read]! | (from[read + 1]! << 8);
    read += 2;
    let match = token & 15;
    if (match === 15) {
      let more = 255;
      while (more === 255 && read < length) match += more = from[read++]!;
      if (more === 255) return { end, valid: false };
    }
    match += 4;
    if (distance === 0 || distance > end - floor || match > limit - end) return { end, valid: false };
    if (match > 64 && distance >= match) {
      to.copyWithin(end, end - distance, end - distance + match);
      end += match;
    } else if (match > 64 && distance === 1) {
      to.fill(to[end - 1]!, end, end + match);
      end += match;
    } else {
      for (let left = match; left > 0; left -= 1, end += 1) to[end] = to[end - distance]!;
    }
  }
  // An empty block, or one that ends with a match.
  return { end, valid: false };
}
