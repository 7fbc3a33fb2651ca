/** xxHash, 32 bits, seed 0: the checksum of lz4 frames (github.com/Cyan4973/xxHash, xxhash_spec). */
const P1 = 0x9e3779b1;
const P2 = 0x85ebca77;
const P3 = 0xc2b2ae3d;
const P4 = 0x27d4eb2f;
const P5 = 0x165667b1;

function rotate(value: number, by: number): number {
  return (value << by) | (value >>> (32 - by));
}

function lane(sum: number, bytes: Uint8Array, at: number): number {
  return Math.imul(rotate((sum + Math.imul(word(bytes, at), P2)) | 0, 13), P1);
}

function word(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
}

export class Xxh32 {
  #a = (P1 + P2) | 0;
  #b = P2 | 0;
  #c = 0;
  #d = -P1 | 0;
  #length = 0;
  readonly #held = new Uint8Array(16);
  #holding = 0;

  update(bytes: Uint8Array): this {
    this.#length += bytes.length;
    let at = 0;
    if (this.#holding > 0) {
      at = Math.min(16 - this.#holding, bytes.length);
      this.#held.set(bytes.subarray(0, at), this.#holding);
      this.#holding += at;
      if (this.#holding < 16) return this;
      this.#stripes(this.#held, 0);
      this.#holding = 0;
    }
    at = this.#stripes(bytes, at);
    this.#held.set(bytes.subarray(at));
    this.#holding = bytes.length - at;
    return this;
  }

  /** The sum so far, unsigned. */
  digest(): number {
    let sum =
      this.#length < 16
        ? P5
        : rotate(this.#a, 1) + rotate(this.#b, 7) + rotate(this.#c, 12) + rotate(this.#d, 18);
    sum = (sum + this.#length) | 0;
    let at = 0;
    for (; at + 4 <= this.#holding; at += 4) {
      sum = Math.imul(rotate((sum + Math.imul(word(this.#held, at), P3)) | 0, 17), P4);
    }
    for (; at < this.#holding; at += 1) {
      sum = Math.imul(rotate((sum + Math.imul(this.#held[at]!, P5)) | 0, 11), P1);
    }
    sum = Math.imul(sum ^ (sum >>> 15), P2);
    sum = Math.imul(sum ^ (sum >>> 13), P3);
    return (sum ^ (sum >>> 16)) >>> 0;
  }

  #stripes(bytes: Uint8Array, from: number): number {
    let [a, b, c, d] = [this.#a, this.#b, this.#c, this.#d];
    let at = from;
    for (; at + 16 <= bytes.length; at += 16) {
      a = lane(a, bytes, at);
      b = lane(b, bytes, at + 4);
      c = lane(c, bytes, at + 8);
      d = lane(d, bytes, at + 12);
    }
    [this.#a, this.#b, this.#c, this.#d] = [a, b, c, d];
    return at;
  }
}
