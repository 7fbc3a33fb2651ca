import { LIMITS } from '../../model/limits.ts';

/**
 * Counts who came with a wrong token, by address. Nobody guesses 256 bits: this keeps wrong tries from filling the log
 * and costing more than a right one, and a right token is let in all the same, for many clients may come by one address,
 * that of a proxy.
 */
export class Failures {
  /** The latest tries of each address, the oldest first; the address that tried last stands last. */
  readonly #tries = new Map<string, readonly number[]>();

  /**
   * One more of an address.
   * @param now milliseconds since 1970
   * @returns whether there are too many of them
   */
  add(address: string, now: number): boolean {
    const key = networkOf(address);
    const known = this.#tries.get(key) ?? [];
    const recent = known.filter((at) => at <= now && now - at < LIMITS.accessWindowMilliseconds);
    const tries = [...recent, now].slice(-LIMITS.accessFailures - 1);
    this.#tries.delete(key);
    this.#tries.set(key, tries);
    const [oldest] = this.#tries.keys();
    if (this.#tries.size > LIMITS.accessAddresses && oldest !== undefined) this.#tries.delete(oldest);
    return tries.length > LIMITS.accessFailures;
  }
}

/** What one client has: an address of IPv4, or the first 64 bits of one of IPv6. */
function networkOf(address: string): string {
  const mapped = /^::ffff:(?<v4>[0-9.]+)$/i.exec(address)?.groups?.['v4'];
  if (mapped !== undefined) return mapped;
  if (!address.includes(':')) return address;
  const [head = '', tail] = address.split('::');
  const groups = head === '' ? [] : head.split(':');
  const last = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = Array.from({ length: Math.max(0, 8 - groups.length - last.length) }, () => '0');
  return [...groups, ...zeros, ...last].slice(0, 4).join(':');
}
