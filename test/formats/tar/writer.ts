/** One header of a tar archive, with all that tests want to write wrongly. */
export interface HeaderFields {
  readonly name: string;
  readonly flag?: string;
  readonly size?: number;
  /** The twelve bytes of the size field as they are, in place of `size`. */
  readonly sizeField?: string;
  readonly target?: string;
  readonly prefix?: string;
  /** Magic and version, eight bytes. */
  readonly magic?: string;
  /** More bytes, by offset. */
  readonly raw?: Readonly<Record<number, string>>;
  readonly badChecksum?: boolean;
}

export const USTAR = 'ustar\x0000';
export const GNU = 'ustar  \0';
export const V7 = '\0'.repeat(8);

export function header(fields: HeaderFields): Buffer {
  const { flag = '0', size = 0, target = '', prefix = '', magic = USTAR } = fields;
  const record = Buffer.alloc(512);
  const put = (value: string, at: number): number => record.write(value, at, 'latin1');
  put(fields.name, 0);
  put('0000644\0', 100);
  put('0000000\0', 108);
  put('0000000\0', 116);
  put(fields.sizeField ?? `${size.toString(8).padStart(11, '0')}\0`, 124);
  put('00000000000\0', 136);
  put(flag, 156);
  put(target, 157);
  put(magic, 257);
  put(prefix, 345);
  for (const [at, value] of Object.entries(fields.raw ?? {})) put(value, Number(at));
  put(' '.repeat(8), 148);
  const sum = record.reduce((total, byte) => total + byte, fields.badChecksum === true ? 1 : 0);
  put(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return record;
}

/** Bytes, filled up to whole records. */
export function filled(bytes: Uint8Array | string): Buffer {
  const content = Buffer.from(bytes as string, 'latin1');
  return Buffer.concat([content, Buffer.alloc((512 - (content.length % 512)) % 512)]);
}

/** A header with its contents. */
export function entry(fields: Omit<HeaderFields, 'size'>, contents: Uint8Array | string = ''): Buffer {
  return Buffer.concat([header({ ...fields, size: contents.length }), filled(contents)]);
}

function paxRecord(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`;
  let length = rest.length + 1;
  while (`${length}${rest}`.length !== length) length += 1;
  return `${length}${rest}`;
}

/** A PAX header for the next member. */
export function pax(records: Readonly<Record<string, string>>, flag = 'x'): Buffer {
  const body = Object.entries(records).map(([key, value]) => paxRecord(key, value));
  return entry({ name: 'PaxHeaders/x', flag }, body.join(''));
}

/** GNU's long name (`L`) or long link target (`K`). */
export function long(flag: 'L' | 'K', value: string): Buffer {
  return entry({ name: '././@LongLink', flag, magic: GNU }, `${value}\0`);
}

/** The two records that end an archive. */
export const END = Buffer.alloc(1024);

export function archive(...parts: readonly Uint8Array[]): Buffer {
  return Buffer.concat([...parts, END]);
}
