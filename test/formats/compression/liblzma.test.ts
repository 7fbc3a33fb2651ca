import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { LZMA, LzmaDecoder } from '../../../src/formats/compression/liblzma/decoder.ts';
import { instantiateLiblzma } from '../../../src/formats/compression/liblzma/library.ts';
import { ROOT } from '../../support/narScan.ts';

const file = createRequire(import.meta.url).resolve('node-liblzma/wasm/liblzma.wasm');
const loader = readFileSync(join(dirname(file), 'liblzma.js'), 'latin1');

/** The one-letter name of the export that the package's own loader calls by this name. */
function exportOf(name: string): string | undefined {
  const pattern = new RegExp(`\\bb\\.?_${name}\\s*=\\s*\\w+\\.(\\w+)\\)`);
  return pattern.exec(loader)?.[1];
}

/** What the loader of this program calls by which letter, in the words of its comments. */
function lettersOfSource(): Readonly<Record<string, string>> {
  const source = readFileSync(join(ROOT, 'src/formats/compression/liblzma/library.ts'), 'utf8');
  const pairs = [...source.matchAll(/\/\*\* (\w+)[^\n]*\*\/\n {2}readonly (\w): \(/g)];
  return Object.fromEntries(pairs.map(([, name, letter]) => [name, letter]));
}

describe('liblzma as WebAssembly', () => {
  it('has the functions under the letters by which they are called', () => {
    const { __wasm_call_ctors: constructors, ...functions } = lettersOfSource();
    expect(Object.keys(functions).toSorted()).toEqual([
      'lzma_auto_decoder',
      'lzma_code',
      'lzma_end',
      'malloc',
    ]);
    for (const [name, letter] of Object.entries(functions))
      expect([name, exportOf(name)]).toEqual([name, letter]);
    // the loader calls the memory's and the constructors' export in its start only
    expect(loader).toContain(`.unshift(Y.${constructors})`);
    expect(loader).toContain('E=Y.b');
  });

  it('imports nothing but the growth of its memory, and exports what is used', () => {
    const module = new WebAssembly.Module(readFileSync(file));
    expect(WebAssembly.Module.imports(module)).toEqual([{ module: 'a', name: 'a', kind: 'function' }]);
    const exported = new Map(WebAssembly.Module.exports(module).map(({ name, kind }) => [name, kind]));
    expect(exported.get('b')).toBe('memory');
    for (const letter of Object.values(lettersOfSource()))
      expect([letter, exported.get(letter)]).toEqual([letter, 'function']);
  });

  it('grows its memory to its maximum, and then says that there is none', () => {
    const { malloc, memory } = instantiateLiblzma();
    expect(malloc(100 * 1024 * 1024)).toBeGreaterThan(0);
    expect(memory.buffer.byteLength).toBeGreaterThan(100 * 1024 * 1024);
    expect(malloc(200 * 1024 * 1024)).toBe(0);
    expect(memory.buffer.byteLength).toBeLessThanOrEqual(256 * 1024 * 1024);
  });

  it('takes one stream after another in one machine, whatever the last one left', () => {
    // an empty .xz file
    const empty = Buffer.from('/Td6WFoAAATm1rRGAAAAABzfRCEftvN9AQAAAAAEWVo=', 'base64');
    for (const bytes of [empty, Buffer.from('no xz at all'), empty.subarray(0, 20), empty]) {
      const decoder = new LzmaDecoder(1024 * 1024);
      expect(decoder.begin()).toBe(LZMA.OK);
      decoder.load(bytes);
      const status = decoder.run();
      if (bytes === empty) expect([status, decoder.consumed]).toEqual([LZMA.STREAM_END, empty.length]);
      else expect(status).not.toBe(LZMA.STREAM_END);
      decoder.close();
    }
  });
});
