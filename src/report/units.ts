const UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'] as const;

/** A number of bytes for people, in powers of 1000 with three digits: `4.71 GB`. */
export function bytesForPeople(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit++;
  }
  const digits = unit === 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
  return `${value.toFixed(digits)} ${UNITS[unit] ?? ''}`;
}

/** A count with its noun: `1 file`, `12,345 files`. */
export function counted(count: number, noun: string, nouns = `${noun}s`): string {
  // not toLocaleString: loading a locale takes 40 ms
  const digits = String(count).replaceAll(/\B(?=(?:\d{3})+$)/g, ',');
  return `${digits} ${count === 1 ? noun : nouns}`;
}
