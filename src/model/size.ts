const UNITS = ['', 'K', 'M', 'G', 'T'];

/** What a size such as `512M` means: K, M, G and T are powers of 1024. Null where it is none. */
export function sizeOf(text: string): number | null {
  const found = /^([0-9]{1,12})(?:([KMGT])(?:i?B)?)?$/i.exec(text);
  if (found === null) return null;
  const size = Number(found[1]) * 1024 ** UNITS.indexOf((found[2] ?? '').toUpperCase());
  return size >= 1 && Number.isSafeInteger(size) ? size : null;
}
