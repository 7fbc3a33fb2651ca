/** Grows a file of integers of one byte order. */
export class ByteWriter {
  #bytes = Buffer.alloc(0);
  readonly big: boolean;

  constructor(big: boolean) {
    this.big = big;
  }

  get length(): number {
    return this.#bytes.length;
  }

  get bytes(): Uint8Array {
    return new Uint8Array(this.#bytes);
  }

  u8(value: number): this {
    return this.raw(Buffer.from([value]));
  }

  u16(value: number): this {
    const b = Buffer.alloc(2);
    if (this.big) b.writeUInt16BE(value);
    else b.writeUInt16LE(value);
    return this.raw(b);
  }

  u32(value: number): this {
    const b = Buffer.alloc(4);
    if (this.big) b.writeUInt32BE(value);
    else b.writeUInt32LE(value);
    return this.raw(b);
  }

  u64(value: number | bigint): this {
    const b = Buffer.alloc(8);
    if (this.big) b.writeBigUInt64BE(BigInt(value));
    else b.writeBigUInt64LE(BigInt(value));
    return this.raw(b);
  }

  /** A word of the class: 4 or 8 bytes. */
  word(wide: boolean, value: number | bigint): this {
    return wide ? this.u64(value) : this.u32(Number(value));
  }

  text(value: string, length = value.length): this {
    const b = Buffer.alloc(length);
    b.write(value, 'latin1');
    return this.raw(b);
  }

  raw(bytes: Uint8Array): this {
    this.#bytes = Buffer.concat([this.#bytes, bytes]);
    return this;
  }

  padTo(offset: number): this {
    return this.raw(Buffer.alloc(Math.max(0, offset - this.length)));
  }
}
