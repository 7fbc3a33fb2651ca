import { spawnSync } from 'node:child_process';
import {
  closeSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readTar } from '../../../src/formats/tar/tar.ts';
import type { ReadContainer } from '../../support/containerItems.ts';
import { readAll } from '../../support/containerItems.ts';
import { needs } from '../../support/programs.ts';

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'nar-scan-tar-'));
});

afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** What a program writes to stdout. */
function output(program: string, ...args: string[]): Buffer {
  const { status, stdout, stderr, error } = spawnSync(program, args, { cwd: folder, maxBuffer: 2 ** 28 });
  if (error !== undefined || status !== 0)
    throw new Error(`${program}: ${error?.message ?? stderr.toString()}`);
  return stdout;
}

const LONG = 'l'.repeat(90);
const DEEP = `tree/${LONG}/${LONG}/${LONG}`;
const SEGMENTS = 60;
const segment = (k: number): Buffer => Buffer.alloc(4096, `segment ${k} `);

function writeTree(): void {
  mkdirSync(join(folder, DEEP), { recursive: true });
  writeFileSync(join(folder, 'tree/short'), 'short contents');
  writeFileSync(join(folder, 'tree/empty'), '');
  writeFileSync(join(folder, DEEP, 'file'), 'x'.repeat(5000));
  symlinkSync(`/home/alice/${LONG}/${LONG}/target`, join(folder, 'tree/link'));
  linkSync(join(folder, DEEP, 'file'), join(folder, 'tree/z-twin'));
}

function contentsOf({ members }: ReadContainer, name: string): string | undefined {
  return members.find((member) => member.name === name)?.bytes?.toString('latin1');
}

describe.skipIf(!needs('tar'))('an archive by GNU tar', () => {
  beforeAll(writeTree);

  it.each(['gnu', 'oldgnu', 'pax'])('in the format %s is read in full', async (format) => {
    const bytes = output('tar', `--format=${format}`, '--sort=name', '-cf', '-', 'tree');
    const read = await readAll(readTar, [bytes]);
    expect(read).toMatchObject({ faults: [], code: null, end: bytes.length });
    expect(read.members.map(({ name, type }) => [name, type])).toEqual([
      ['tree/', 'directory'],
      ['tree/empty', 'file'],
      ['tree/link', 'symlink'],
      [`tree/${LONG}/`, 'directory'],
      [`tree/${LONG}/${LONG}/`, 'directory'],
      [`${DEEP}/`, 'directory'],
      [`${DEEP}/file`, 'file'],
      ['tree/short', 'file'],
      ['tree/z-twin', 'hardlink'],
    ]);
    expect(contentsOf(read, `${DEEP}/file`)).toBe('x'.repeat(5000));
    expect(read.members.find(({ type }) => type === 'symlink')?.target).toBe(
      `/home/alice/${LONG}/${LONG}/target`,
    );
    expect(read.members.at(-1)?.target).toBe(`${DEEP}/file`);
  });

  it.each(['v7', 'ustar'])('in the format %s is read in full', async (format) => {
    const bytes = output('tar', `--format=${format}`, '-cf', '-', 'tree/short', 'tree/empty');
    const read = await readAll(readTar, [bytes]);
    expect(read).toMatchObject({ faults: [], code: null, end: bytes.length });
    expect(read.members.map(({ name }) => name)).toEqual(['tree/short', 'tree/empty']);
    expect(contentsOf(read, 'tree/short')).toBe('short contents');
  });

  it.each([
    ['gnu', '0.0'],
    ['oldgnu', '0.0'],
    ['pax', '0.0'],
    ['pax', '0.1'],
    ['pax', '1.0'],
  ])('in the format %s, sparse files %s, gives their bytes without holes', async (format, version) => {
    const file = openSync(join(folder, 'holes'), 'w');
    for (let k = 0; k < SEGMENTS; k += 1) writeSync(file, segment(k), 0, 4096, (2 * k + 1) * 65_536);
    closeSync(file);
    const args = [`--format=${format}`, '--sparse', `--sparse-version=${version}`, '--hole-detection=raw'];
    const bytes = output('tar', ...args, '-cf', '-', 'holes', 'tree/short');
    const read = await readAll(readTar, [bytes]);
    expect(bytes.length).toBeLessThan(2 * SEGMENTS * 4096);
    expect(read).toMatchObject({ faults: [], code: null, end: bytes.length });
    expect(read.members.map(({ name }) => name)).toEqual(['holes', 'tree/short']);
    const wanted = Buffer.concat(Array.from({ length: SEGMENTS }, (_, k) => segment(k)));
    expect(read.members[0]?.bytes?.equals(wanted)).toBe(true);
    expect(contentsOf(read, 'tree/short')).toBe('short contents');
  });

  it('of a file larger than a size field can say is as long as PAX and base 256 say', async () => {
    const size = 9 * 2 ** 30;
    output('truncate', '-s', String(size), 'large');
    for (const format of ['pax', 'gnu']) {
      const first = spawnSync('sh', ['-c', `tar --format=${format} -cf - large 2>/dev/null | head -c 4096`], {
        cwd: folder,
      }).stdout;
      const read = await readAll(readTar, [first]);
      expect(read).toMatchObject({ faults: [], code: 'CONTAINER_TRUNCATED', members: [{ name: 'large' }] });
    }
  });

  it('of an incremental dump, of a volume with a label, is read without a fault', async () => {
    const bytes = output('tar', '--label=backup', '--listed-incremental=snapshot', '-cf', '-', 'tree');
    const read = await readAll(readTar, [bytes]);
    expect(read).toMatchObject({ faults: [], code: null, end: bytes.length });
    expect(read.members[0]).toMatchObject({ name: 'backup', type: 'special' });
    expect(read.members[1]).toMatchObject({ type: 'directory' });
    expect(contentsOf(read, 'tree/short')).toBe('short contents');
  });
});

describe.skipIf(!needs('python3'))("an archive by Python's tarfile", () => {
  beforeAll(() => {
    if (!needs('tar')) writeTree();
  });

  it.each(['USTAR', 'GNU', 'PAX'])('in the format %s is read as Python reads it', async (format) => {
    const name = format === 'USTAR' ? 'tree/short' : 'tree';
    const program = [
      'import sys, tarfile, json',
      `t = tarfile.open('out.tar', 'w', format=tarfile.${format}_FORMAT)`,
      `t.add('${name}')`,
      't.close()',
      "t = tarfile.open('out.tar')",
      'print(json.dumps([[m.name, m.linkname, m.size, m.offset_data] for m in t]))',
    ].join('\n');
    const wanted = JSON.parse(output('python3', '-c', program).toString()) as [
      string,
      string,
      number,
      number,
    ][];
    const bytes = output('cat', 'out.tar');
    const read = await readAll(readTar, [bytes]);
    expect(read).toMatchObject({ faults: [], code: null, end: bytes.length });
    const listed = read.members.map((member) => [
      member.name.replace(/\/$/, ''),
      member.target,
      member.bytes?.length ?? 0,
      member.offset,
    ]);
    expect(listed).toEqual(wanted);
  });
});
