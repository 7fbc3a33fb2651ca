/** Computes the digest of one content after another, of the bytes that are searched. */
export interface ContentDigest {
  /** The next bytes; they may change as soon as this returns. */
  update(bytes: Uint8Array): void;
  /** All bytes have passed: lower-case hexadecimal text. The next content may begin. */
  finish(): string;
}
