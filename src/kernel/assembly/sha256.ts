// SHA-256 (FIPS 180-4), for what is hashed sooner than OpenSSL is loaded.

/** K, section 4.2.2. */
const CONSTANTS = memory.data<u32>([
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
  0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
  0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
  0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
  0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
  0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
  0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
  0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
]);
/** u32[64]: the message schedule of one block. */
const SCHEDULE = memory.data(256);
/** u32[8]: the hash value. */
export const STATE: usize = memory.data(32);
/** Where the caller puts blocks. */
export const BLOCKS: usize = 4096;

/** The hash value of nothing yet, section 5.3.3. */
export function begin(): void {
  store<u32>(STATE, 0x6a09e667);
  store<u32>(STATE, 0xbb67ae85, 4);
  store<u32>(STATE, 0x3c6ef372, 8);
  store<u32>(STATE, 0xa54ff53a, 12);
  store<u32>(STATE, 0x510e527f, 16);
  store<u32>(STATE, 0x9b05688c, 20);
  store<u32>(STATE, 0x1f83d9ab, 24);
  store<u32>(STATE, 0x5be0cd19, 28);
}

/** Takes in blocks of 64 bytes, section 6.2.2. */
export function takeBlocks(count: u32): void {
  for (let at = BLOCKS, end = BLOCKS + 64 * count; at < end; at += 64) takeBlock(at);
}

function takeBlock(at: usize): void {
  for (let i: usize = 0; i < 64; i += 4) store<u32>(SCHEDULE + i, bswap(load<u32>(at + i)));
  for (let i: usize = 64; i < 256; i += 4) {
    const w = SCHEDULE + i;
    const early = load<u32>(w - 60);
    const late = load<u32>(w - 8);
    const sum = load<u32>(w - 64) + load<u32>(w - 28);
    store<u32>(w, sum + small(early, 7, 18, 3) + small(late, 17, 19, 10));
  }
  let a = load<u32>(STATE);
  let b = load<u32>(STATE, 4);
  let c = load<u32>(STATE, 8);
  let d = load<u32>(STATE, 12);
  let e = load<u32>(STATE, 16);
  let f = load<u32>(STATE, 20);
  let g = load<u32>(STATE, 24);
  let h = load<u32>(STATE, 28);
  for (let i: usize = 0; i < 256; i += 4) {
    const chosen = (e & f) ^ (~e & g);
    const first = h + large(e, 6, 11, 25) + chosen + load<u32>(CONSTANTS + i) + load<u32>(SCHEDULE + i);
    const majority = (a & b) ^ (a & c) ^ (b & c);
    const second = large(a, 2, 13, 22) + majority;
    h = g;
    g = f;
    f = e;
    e = d + first;
    d = c;
    c = b;
    b = a;
    a = first + second;
  }
  add(0, a);
  add(4, b);
  add(8, c);
  add(12, d);
  add(16, e);
  add(20, f);
  add(24, g);
  add(28, h);
}

// @ts-ignore: decorator
@inline
function add(offset: usize, word: u32): void {
  store<u32>(STATE + offset, load<u32>(STATE + offset) + word);
}

// @ts-ignore: decorator
@inline
function small(word: u32, one: u32, other: u32, shift: u32): u32 {
  return rotr(word, one) ^ rotr(word, other) ^ (word >> shift);
}

// @ts-ignore: decorator
@inline
function large(word: u32, one: u32, other: u32, third: u32): u32 {
  return rotr(word, one) ^ rotr(word, other) ^ rotr(word, third);
}
