/** A token of a NAR: its length, its bytes, zeros up to the next multiple of eight. */
export function token(text: string): Buffer {
  const padded = Buffer.alloc(8 + Math.ceil(text.length / 8) * 8);
  padded.writeUInt32LE(text.length, 0);
  padded.write(text, 8, 'latin1');
  return padded;
}

/** Bytes of every kind, a slash of a path now and then; the same at each run. */
export function noise(bytes: number): Buffer {
  const block = Buffer.alloc(bytes);
  // xorshift32
  let state = 1;
  for (let index = 0; index < bytes; index++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    block[index] = state & 0xff;
  }
  return block;
}
