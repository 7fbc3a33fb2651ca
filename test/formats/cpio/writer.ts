import type { CpioFormat } from '../../../src/formats/cpio/header.ts';

export interface CpioFields {
  readonly name: string;
  readonly mode?: number;
  readonly contents?: string;
  /** In place of the contents' own. */
  readonly size?: number;
  /** In place of the contents' own, of format crc. */
  readonly sum?: number;
  /** NULs behind the name. */
  readonly nuls?: number;
}

const ALIGNMENT: Readonly<Record<CpioFormat, number>> = { newc: 4, crc: 4, odc: 1, little: 2, big: 2 };

function padded(bytes: Buffer, alignment: number): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((alignment - (bytes.length % alignment)) % alignment)]);
}

function headerOf(format: CpioFormat, mode: number, nameBytes: number, size: number, sum: number): Buffer {
  const hex = (value: number): string => value.toString(16).padStart(8, '0').toUpperCase();
  const octal = (value: number, digits: number): string => value.toString(8).padStart(digits, '0');
  switch (format) {
    case 'newc':
    case 'crc': {
      const fields = [1, mode, 0, 0, 1, 0, size, 0, 0, 0, 0, nameBytes, sum];
      return Buffer.from(`${format === 'crc' ? '070702' : '070701'}${fields.map(hex).join('')}`);
    }
    case 'odc': {
      const six = [1, 1, mode, 0, 0, 1, 0].map((value) => octal(value, 6)).join('');
      return Buffer.from(`070707${six}${octal(0, 11)}${octal(nameBytes, 6)}${octal(size, 11)}`);
    }
    case 'little':
    case 'big': {
      const words = [
        0o070707,
        1,
        1,
        mode,
        0,
        0,
        1,
        0,
        0,
        0,
        nameBytes,
        Math.floor(size / 65_536),
        size % 65_536,
      ];
      const bytes = Buffer.alloc(26);
      words.forEach((word, k) =>
        format === 'big' ? bytes.writeUInt16BE(word, 2 * k) : bytes.writeUInt16LE(word, 2 * k),
      );
      return bytes;
    }
  }
}

/** One member of a cpio archive. */
export function member(format: CpioFormat, fields: CpioFields): Buffer {
  const { mode = 0o100644, contents = '', nuls = 1 } = fields;
  const body = Buffer.from(contents, 'latin1');
  const name = Buffer.from(fields.name + '\0'.repeat(nuls), 'latin1');
  const sum = fields.sum ?? body.reduce((total, byte) => total + byte, 0);
  const header = headerOf(format, mode, name.length, fields.size ?? body.length, format === 'crc' ? sum : 0);
  const alignment = ALIGNMENT[format];
  return Buffer.concat([padded(Buffer.concat([header, name]), alignment), padded(body, alignment)]);
}

export function trailer(format: CpioFormat): Buffer {
  return member(format, { name: 'TRAILER!!!', mode: 0, sum: 0 });
}
