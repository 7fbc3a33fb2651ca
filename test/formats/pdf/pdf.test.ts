import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readPdf } from '../../../src/formats/pdf/pdf.ts';
import { needs } from '../../support/programs.ts';
import { filter, sample } from '../compression/support.ts';
import { isIncomplete, readAll, texts } from '../zlib/support.ts';

const LEAK = 'BT (/home/alice/figure.eps) Tj ET';
const PACKED = deflateSync(LEAK);

function object(dictionary: string, data: Uint8Array | string, end = '\nendstream\nendobj\n'): Buffer {
  const head = `7 0 obj\n${dictionary}\nstream\n`;
  return Buffer.concat([
    Buffer.from(head, 'latin1'),
    Buffer.from(data as string, 'latin1'),
    Buffer.from(end),
  ]);
}

const pdf = (...parts: (Buffer | string)[]): Buffer =>
  Buffer.concat([
    Buffer.from('%PDF-1.5\n'),
    ...parts.map((part) => Buffer.from(part as string, 'latin1')),
    Buffer.from('trailer\n<< /Size 8 >>\n%%EOF\n'),
  ]);

const ascii85 = (data: Uint8Array): Buffer =>
  filter(
    data,
    'python3',
    '-c',
    "import sys,base64; d=sys.stdin.buffer.read(); sys.stdout.buffer.write(base64.a85encode(d,wrapcol=72)+b'~>')",
  );

describe('a PDF document', () => {
  it('gives each stream of FlateDecode, at its place', async () => {
    const large = sample(1_500_000);
    const bytes = pdf(
      object('<< /Length 9 0 R /Filter /FlateDecode >>', PACKED),
      object(`<</Length 1/Filter[/FlateDecode]/DecodeParms<</Predictor 12>>>>`, deflateSync(large)),
      object('<< /Length 44 >>', 'plain text'),
    );
    const read = await readAll(readPdf, bytes);
    expect(read.faults).toEqual([]);
    expect(read.members.map(({ bytes }) => bytes.equals(Buffer.from(LEAK)) || bytes.equals(large))).toEqual([
      true,
      true,
    ]);
    const at = bytes.indexOf(PACKED);
    expect(read.members[0]).toMatchObject({ name: `zlib@${at}`, offset: at, code: null });
  });

  it.each([
    ['a name with escapes', '<< /Filter /Fl#61teDecode >>'],
    ['a short name', '<< /Filter [ /Fl ] >>'],
    ['a comment before the name', '<< /Filter %a comment\r/FlateDecode >>'],
    ['a comment behind the dictionary', '<< /Filter /FlateDecode >> % here it is'],
    ['a filter named elsewhere', '<< /Filter 5 0 R >>'],
    ['two filters of which the last counts', '<< /A << /Filter /DCTDecode >> /Filter /FlateDecode >>'],
    ['an object in a string', '<< /Filter /FlateDecode /A (1 0 obj) >>'],
    ['a long dictionary', `<< /Filter /FlateDecode /A (${'a'.repeat(100_000)}) >>`],
    ['no filter at all', '<< >>'],
    [
      'a first filter that leaves all as it is',
      '<< /Filter [/FlateDecode /Crypt] /DecodeParms [null << /Name /Identity >>] >>',
    ],
    ['an image behind it', '<< /Filter [/FlateDecode /DCTDecode] >>'],
  ])('%s hides nothing', async (_, dictionary) => {
    const read = await readAll(readPdf, pdf(object(dictionary, PACKED)));
    expect(texts(read)).toEqual([LEAK]);
    expect(isIncomplete(read)).toBe(false);
  });

  it('line ends of every kind may stand before the data', async () => {
    for (const line of ['\n', '\r\n', '\r', '  \r\n']) {
      const bytes = pdf('7 0 obj<</Filter/FlateDecode>>stream', line, PACKED, 'endstream');
      expect(texts(await readAll(readPdf, bytes))).toEqual([LEAK]);
    }
  });

  it.skipIf(!needs('python3'))('other filters before and behind are undone', async () => {
    const hex = Buffer.from(`${PACKED.toString('hex').replace(/(.{60})/g, '$1\n')}>`);
    const runs = Buffer.concat([Buffer.from([PACKED.length - 1]), PACKED, Buffer.from([128])]);
    const read = await readAll(
      readPdf,
      pdf(
        object('<< /Filter [/ASCII85Decode /FlateDecode] >>', ascii85(PACKED)),
        object('<< /Filter [ /AHx /Fl ] >>', hex),
        object('<< /Filter [ /RunLengthDecode /FlateDecode ] >>', runs),
        object('<< /Filter [ /FlateDecode /ASCII85Decode /FlateDecode ] >>', deflateSync(ascii85(PACKED))),
        object('<< /Filter /ASCII85Decode >>', ascii85(Buffer.from(`\0\0\0\0${LEAK}`))),
        object('<< /Filter /RunLengthDecode >>', Buffer.from([2, 0x2f, 0x68, 0x6f, 254, 0x6d, 128])),
      ),
    );
    expect(texts(read)).toEqual([LEAK, LEAK, LEAK, LEAK, `\0\0\0\0${LEAK}`, '/hommm']);
    expect(isIncomplete(read)).toBe(false);
  });

  it('ASCII85 of any bytes in any chunks', async () => {
    if (!needs('python3')) return;
    for (const length of [0, 1, 2, 3, 4, 5, 300_000]) {
      const data = sample(length, length + 1);
      const read = await readAll(readPdf, pdf(object('<< /Filter /A85 >>', ascii85(data))));
      expect(read.members[0]).toMatchObject({ bytes: data, code: null });
    }
  });

  it('an image whose filter is named elsewhere is no fault', async () => {
    const image = object('<< /Filter 5 0 R >>', Buffer.from('\xff\xd8\xff\xe0image', 'latin1'));
    expect(await readAll(readPdf, pdf(image))).toEqual({ members: [], faults: [] });
  });

  it.each([
    ['LZW', '<< /Filter /LZWDecode >>', 'unsupported'],
    ['LZW behind ASCII85', '<< /Filter [/ASCII85Decode /LZWDecode] >>', 'unsupported'],
    ['an unknown filter', '<< /Filter /New\x01Filter >>', 'unsupported'],
    ['a filter that is named elsewhere', '<< /Filter 5 0 R >>', 'unsupported'],
    ['FlateDecode that is none', '<< /Filter /FlateDecode >>', 'corrupt'],
    ['a crypt filter', '<< /Filter [/Crypt /FlateDecode] >>', 'unsupported'],
  ])('%s is a fault', async (_, dictionary, reason) => {
    const bytes = pdf(object(dictionary, '9jqo^BlbD-BleB1DJ+*+F(f,q~>'));
    expect((await readAll(readPdf, bytes)).faults.join(' ')).toMatch(reason);
  });

  it('images, empty streams and words are none', async () => {
    const bytes = pdf(
      object('<< /Filter /DCTDecode >>', '\xff\xd8\xff'),
      object('<< /Filter [/ASCII85Decode /CCITTFaxDecode] >>', 'abcde~>'),
      object('<< /Filter /JPXDecode >>', 'x\x9c'),
      object('<< /Filter /FlateDecode /Length 0 >>', ''),
      object('<< /Length 9 >>', 'an upstream\nx\x9c of the stream\r\nx\x9c'),
    );
    const read = await readAll(readPdf, bytes);
    expect(read.faults).toEqual([]);
    expect(read.members.every(({ name }) => name.startsWith('stream@'))).toBe(true);
  });

  it('an image hides no stream that begins within it', async () => {
    const bytes = pdf('<< /Filter /DCTDecode >> stream\n', object('<< /Filter /FlateDecode >>', PACKED));
    expect(texts(await readAll(readPdf, bytes))).toEqual([LEAK]);
  });

  it('a damaged stream keeps nothing else from being read', async () => {
    const damaged = deflateSync(sample(60_000));
    damaged.fill(0xff, 12_000, 12_400);
    const dictionary = '<< /Filter /FlateDecode >>';
    const read = await readAll(readPdf, pdf(object(dictionary, damaged), object(dictionary, PACKED)));
    expect(read.members[0]?.code).toBe('COMPRESSION_CORRUPT');
    expect(read.members[0]?.bytes.length).toBeGreaterThan(10_000);
    expect(texts(read).at(-1)).toBe(LEAK);
  });

  it('what is cut is never whole', async () => {
    const whole = pdf(object('<< /Filter /FlateDecode >>', PACKED));
    const start = whole.indexOf(PACKED);
    for (let end = start + 2; end < start + PACKED.length; end += 1) {
      expect(isIncomplete(await readAll(readPdf, whole.subarray(0, end))), `cut at ${end}`).toBe(true);
    }
  });

  it('many false streams take little time', async () => {
    const block = Buffer.concat([
      Buffer.from([0, 0xff, 0xff, 0, 0]),
      Buffer.alloc(0xffff, '<</Filter/Fl>>stream\nx\x9c'),
    ]);
    const bytes = pdf('<</Filter/Fl>>stream\nx\x9c', ...Array.from({ length: 100 }, () => block));
    const started = process.cpuUsage();
    expect(isIncomplete(await readAll(readPdf, bytes))).toBe(true);
    expect(process.cpuUsage(started).user).toBeLessThan(20_000_000);
  });

  it('noise around streams neither throws nor hides them', async () => {
    const noise = fc.array(
      fc.oneof(
        fc.constantFrom(
          'stream\n',
          '>>stream\r\n',
          'endstream',
          '<< /Filter [',
          '/FlateDecode',
          ' obj ',
          '% ',
          '/Encrypt ',
        ),
        fc.uint8Array({ maxLength: 30 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
      ),
      { maxLength: 12 },
    );
    await fc.assert(
      fc.asyncProperty(noise, async (parts) => {
        const bytes = pdf(...parts, '\n', object('<< /Filter /FlateDecode >>', PACKED));
        const read = await readAll(readPdf, bytes);
        expect(texts(read).includes(LEAK) || isIncomplete(read)).toBe(true);
      }),
      { numRuns: 300 },
    );
  });
});

describe.skipIf(!needs('qpdf'))('as qpdf writes it', () => {
  let folder = '';

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'pdf-'));
    const page = '3 0 obj << /Type /Page /Parent 2 0 R /Contents 4 0 R /MediaBox [0 0 9 9] >> endobj\n';
    writeFileSync(
      join(folder, 'a.pdf'),
      pdf(
        `1 0 obj << /Type /Catalog /Pages 2 0 R /Title (${LEAK}) >> endobj\n`,
        '2 0 obj << /Type /Pages /Kids [3 0 R] /Count 1 >> endobj\n',
        page,
        `4 0 obj << /Length ${LEAK.length} >>\nstream\n${LEAK}\nendstream endobj\n`,
        'trailer << /Root 1 0 R >>\n',
      ),
    );
  });

  afterAll(() => rmSync(folder, { recursive: true }));

  const qpdf = (...args: string[]): Buffer => {
    try {
      execFileSync('qpdf', [...args, 'a.pdf', 'b.pdf'], { cwd: folder, stdio: 'pipe' });
    } catch (error) {
      if ((error as { status?: number }).status !== 3) throw error; // 3: it mended the document
    }
    return readFileSync(join(folder, 'b.pdf'));
  };

  it('with object streams, cross-reference streams and linearized', async () => {
    for (const args of [
      ['--object-streams=generate'],
      ['--linearize'],
      ['--compress-streams=y', '--recompress-flate'],
    ]) {
      const read = await readAll(readPdf, qpdf('--stream-data=compress', ...args));
      expect(isIncomplete(read)).toBe(false);
      expect(texts(read).some((text) => text.includes(LEAK))).toBe(true);
    }
  });

  it('encrypted: one fault, and no false ones', async () => {
    for (const bits of ['128', '256']) {
      const bytes = qpdf(
        '--object-streams=generate',
        '--allow-weak-crypto',
        '--encrypt',
        'u',
        'o',
        bits,
        '--',
      );
      const read = await readAll(readPdf, bytes);
      expect(read.faults.length).toBe(1);
      expect(read.faults[0]).toMatch('encrypted');
      expect(read.members.every(({ code }) => code === null)).toBe(true);
    }
  });
});
