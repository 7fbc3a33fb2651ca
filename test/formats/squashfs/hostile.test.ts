import { describe, expect, it } from 'vitest';
import { needs } from '../../support/programs.ts';
import { holds, isIncomplete, pack, readImage } from './support.ts';

const LEAK = 'built in /home/noamyr/src';
const PLAIN = ['-noI', '-noD', '-noF', '-noX', '-no-xattrs', '-no-exports'];

/** An image of which tables and contents lie as they are, with some of its numbers changed. */
class Patched {
  readonly bytes: Buffer;
  readonly #inodes: number;
  readonly #directories: number;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
    this.#inodes = Number(bytes.readBigUInt64LE(64));
    this.#directories = Number(bytes.readBigUInt64LE(72));
  }

  /** Where the inode of the file of so many bytes stands. */
  file(size: number): number {
    const word = Buffer.alloc(4);
    word.writeUInt32LE(size);
    for (let at = this.#inodes; at < this.#directories; at += 1) {
      at = this.bytes.indexOf(word, at);
      if (at < 0 || at >= this.#directories) break;
      if (this.bytes.readUInt16LE(at - 28) === 2) return at - 28;
    }
    throw new Error(`no file of ${size} bytes`);
  }

  /** Where the entry of a name begins in a listing. */
  entry(name: string): number {
    const at = this.bytes.indexOf(name, this.#directories, 'latin1');
    if (at < 0) throw new Error(`no entry ${name}`);
    return at - 8;
  }

  /** Makes the listing of the root shorter. */
  shorten(bytes: number): void {
    const at = this.#inodes + 2 + this.bytes.readUInt16LE(32) + 24;
    this.bytes.writeUInt16LE(this.bytes.readUInt16LE(at) - bytes, at);
  }

  /** Makes an entry lead to where another one does. */
  lead(name: string, to: string): this {
    const [from, other] = [this.entry(name), this.entry(to)];
    this.bytes.copy(this.bytes, from, other, other + 2);
    return this;
  }
}

const image = (...options: readonly string[]): Patched =>
  new Patched(
    pack(
      { 'a.txt': 'a'.repeat(5000), 'b.txt': `${LEAK}${'b'.repeat(6000)}`, 'one/two/c.txt': 'c' },
      ...PLAIN,
      ...options,
    ),
  );

describe.skipIf(!needs('mksquashfs'))('an image that was made to mislead', () => {
  it('shows a file that no directory names', async () => {
    const read = await readImage(image().lead('b.txt', 'a.txt').bytes);
    expect(read.members.find(({ name }) => name.startsWith('inode@'))?.bytes?.toString()).toContain(LEAK);
  });

  it('shows directories that no directory names, with what is below them', async () => {
    const patched = image();
    patched.bytes.writeUInt16LE(2, patched.entry('one') + 4);
    const read = await readImage(patched.lead('one', 'a.txt').bytes);
    const names = read.members.map(({ name }) => name).filter((name) => name.startsWith('inode@'));
    expect(names.map((name) => name.replace(/@[0-9]+/, ''))).toContain('inode/two');
  });

  it('has a fault where a block belongs to nothing', async () => {
    const patched = image('-no-fragments');
    const [a, b] = [patched.file(5000), patched.file(6000 + LEAK.length)];
    patched.bytes.copy(patched.bytes, b + 16, a + 16, a + 20);
    expect((await readImage(patched.bytes)).faults).toEqual([
      expect.stringMatching(/^corrupt: .* 5000 bytes of the image belong to nothing/),
    ]);
  });

  it('is searched where no file has the bytes of a block of tails', async () => {
    const patched = image();
    const b = patched.file(6000 + LEAK.length);
    patched.bytes.writeUInt32LE(6000, b + 28);
    patched.bytes.writeUInt32LE(patched.bytes.readUInt32LE(b + 24) + LEAK.length, b + 24);
    const read = await readImage(patched.bytes);
    expect(read.members.find(({ name }) => name === 'b.txt')?.bytes?.toString()).not.toContain(LEAK);
    expect(read.members.find(({ name }) => name === 'tails@0')?.bytes?.toString()).toContain(LEAK);
    expect((await readImage(image().bytes)).members.some(({ name }) => name.startsWith('tails@'))).toBe(
      false,
    );
  });

  it.each<[what: string, change: (patched: Patched) => void, fault: RegExp]>([
    ['a directory in itself', (patched) => patched.lead('two', 'one'), /stands in two places/],
    [
      'a type that is not that of the inode',
      (patched) => patched.bytes.writeUInt16LE(3, patched.entry('a.txt') + 4),
      /another type/,
    ],
    [
      'a name with a slash',
      (patched) => patched.bytes.write('a/txt', patched.entry('a.txt') + 8),
      /no entry can have/,
    ],
    [
      'a name with a NUL',
      (patched) => patched.bytes.write('a\0txt', patched.entry('a.txt') + 8),
      /no entry can have/,
    ],
    [
      'an inode that is none',
      (patched) => patched.bytes.writeUInt16LE(99, patched.file(5000)),
      /an inode of type 99/,
    ],
    [
      'an inode outside its table',
      (patched) => patched.bytes.writeUInt16LE(8000, patched.entry('a.txt')),
      /byte 8000/,
    ],
    [
      'a file that is longer than its table can tell',
      (patched) => patched.bytes.writeUInt32LE(0xffff_ffff, patched.file(5000) + 28),
      /too short for what/,
    ],
    ['fewer inodes than there are', ({ bytes }) => bytes.writeUInt32LE(2, 4), /are announced/],
    ['a root that is a file', ({ bytes }) => bytes.writeBigUInt64LE(0n, 32), /root is no directory/],
    [
      'a root that is nowhere',
      ({ bytes }) => bytes.writeBigUInt64LE(77n << 16n, 32),
      /no block of the inode table/,
    ],
    ['a listing that breaks off', (patched) => patched.shorten(2), /ends in an entry/],
    ['no size of blocks', ({ bytes }) => bytes.writeUInt32LE(5000, 12), /no legal size/],
    ['more tails than there are', ({ bytes }) => bytes.writeUInt32LE(2000, 16), /list of the fragment table/],
    ['tables in no order', ({ bytes }) => bytes.writeBigUInt64LE(96n, 72), /overlap/],
    [
      'tables behind its end',
      ({ bytes }) => bytes.writeBigUInt64LE(1n << 60n, 72),
      /no block of the directory table/,
    ],
    ['owners outside', ({ bytes }) => bytes.writeBigUInt64LE(1n << 61n, 48), /outside the image/],
    ['less of it than it says', ({ bytes }) => bytes.writeBigUInt64LE(1n << 50n, 40), /^truncated/],
    ['an end before its tables', ({ bytes }) => bytes.writeBigUInt64LE(97n, 40), /outside the image/],
  ])('has a fault: %s', async (_, change, fault) => {
    const patched = image();
    const faults = (await readImage(patched.bytes)).faults;
    expect(faults).toEqual([]);
    change(patched);
    expect((await readImage(patched.bytes)).faults.join('\n')).toMatch(fault);
  });

  it('is searched as it is where its inodes cannot be told apart', async () => {
    const patched = image();
    patched.bytes.writeUInt16LE(99, patched.file(5000));
    const read = await readImage(patched.bytes);
    const [table] = read.members.filter(({ name }) => name === 'inode table');
    const start = Number(patched.bytes.readBigUInt64LE(64)) + 2;
    expect(table?.bytes?.equals(patched.bytes.subarray(start, start + table.bytes.length))).toBe(true);
  });

  it('that is cut is never whole', async () => {
    const { bytes } = image();
    const used = Number(bytes.readBigUInt64LE(40));
    for (let end = 0; end < used; end += 61) {
      expect(isIncomplete(await readImage(bytes.subarray(0, end))), `cut at ${end}`).toBe(true);
    }
    expect(isIncomplete(await readImage(bytes.subarray(0, used)))).toBe(false);
  });

  it('of which a block is damaged gives all that lies behind it', async () => {
    const text = Array.from({ length: 60_000 }, (_, at) => `line ${(at * 7919) % 60_000}\n`).join('');
    for (const compressor of ['gzip', 'xz', 'zstd', 'lz4']) {
      const bytes = pack({ 'a.txt': text + LEAK }, '-comp', compressor, '-b', '64K', '-no-fragments');
      bytes.fill(0xff, 110, 300);
      const read = await readImage(bytes);
      expect(holds(read, LEAK), compressor).toBe(true);
      expect(read.members.find(({ name }) => name === 'a.txt')?.code, compressor).toMatch(/CORRUPT/);
    }
  });
});
