const VALUES = new Int8Array(256).fill(-1);
for (const [value, digits] of [
  '0',
  '1',
  '2',
  '3',
  '4',
  '5',
  '6',
  '7',
  '8',
  '9',
  'aA',
  'bB',
  'cC',
  'dD',
  'eE',
  'fF',
].entries()) {
  for (const digit of digits) VALUES[digit.charCodeAt(0)] = value;
}

/** The value of a hex digit's byte, or -1. */
export function hexValue(byte: number): number {
  return VALUES[byte] as number;
}
