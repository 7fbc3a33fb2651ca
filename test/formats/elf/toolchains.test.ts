import { execFileSync } from 'node:child_process';
import {
  closeSync,
  copyFileSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { planElf, readElf } from '../../../src/formats/elf/elf.ts';
import type { BinaryFacts } from '../../../src/formats/ranges.ts';
import { needs } from '../../support/programs.ts';
import { streamedReader, textAt, wholeReader, withFileReader } from '../../support/rangeReaders.ts';

const HOME = '/home/noamyr';
let folder = '';
const at = (name: string): string => join(folder, name);

function run(program: string, ...args: string[]): string {
  return execFileSync(program, args, { cwd: folder, encoding: 'latin1', stdio: ['ignore', 'pipe', 'pipe'] });
}

/** The facts of a file by its name, which must be free of faults, also as a stream keeps them. */
function healthy(name: string): BinaryFacts & { named: string[] } {
  const bytes = readFileSync(at(name));
  const read = readElf(wholeReader(bytes));
  if (read === null) throw new Error('no ELF header');
  expect(read.faults).toEqual([]);
  expect(readElf(streamedReader(bytes, planElf))).toEqual(read);
  return { ...read, named: read.fields.map((field) => `${field.carrier} ${textAt(bytes, field)}`) };
}

const packed = ({ sections }: BinaryFacts): string[] =>
  sections
    .filter(({ compressed }) => compressed !== null)
    .map(({ name, compressed }) => `${name} ${compressed}`);

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'elf-'));
  writeFileSync(at('main.c'), 'int main(void) { return 0; }\n');
  // enough names for .debug_str to be worth compressing
  const names = Array.from({ length: 200 }, (_, k) => `int a_rather_long_name_${k};\n`).join('');
  writeFileSync(at('lib.c'), `const char *f(void) { return __FILE__; }\n${names}`);
});

afterAll(() => {
  rmSync(folder, { recursive: true });
});

describe.skipIf(!needs('gcc', 'patchelf', 'objcopy', 'strip'))('what toolchains write', () => {
  it('RPATH and RUNPATH, as the linker is told', () => {
    run('gcc', 'main.c', '-o', 'old', `-Wl,-rpath,/nix/store/x:${HOME}/lib`, '-Wl,--disable-new-dtags');
    run('gcc', 'main.c', '-o', 'new', `-Wl,-rpath,${HOME}/lib`, '-Wl,--enable-new-dtags');
    expect(healthy('old').named).toContain(`rpath /nix/store/x:${HOME}/lib`);
    expect(healthy('new').named).toContain(`runpath ${HOME}/lib`);
  });

  it('the interpreter, a library without a SONAME by its path, auditors, filters, a name', () => {
    run('gcc', '-shared', '-fPIC', 'lib.c', '-o', 'libplain.so');
    run('gcc', 'main.c', '-o', 'needs', '-Wl,--no-as-needed', at('libplain.so'));
    run('gcc', 'main.c', '-o', 'interp', `-Wl,--dynamic-linker,${HOME}/ld.so`);
    run('gcc', 'main.c', '-o', 'audit', `-Wl,--audit,${HOME}/a.so`, `-Wl,--depaudit,${HOME}/d.so`);
    run(
      'gcc',
      '-shared',
      '-fPIC',
      'lib.c',
      '-o',
      'filter.so',
      `-Wl,--auxiliary,${HOME}/x.so`,
      `-Wl,-soname,${HOME}/s.so`,
    );
    run('gcc', '-shared', '-fPIC', 'lib.c', '-o', 'filter2.so', `-Wl,--filter,${HOME}/f.so`);
    expect(healthy('needs').named).toContain(`needed ${at('libplain.so')}`);
    expect(healthy('interp').named).toContain(`interp ${HOME}/ld.so`);
    expect(healthy('audit').named).toEqual(
      expect.arrayContaining([`audit ${HOME}/a.so`, `audit ${HOME}/d.so`]),
    );
    expect(healthy('filter.so').named).toEqual(
      expect.arrayContaining([`filter ${HOME}/x.so`, `soname ${HOME}/s.so`]),
    );
    expect(healthy('filter2.so').named).toContain(`filter ${HOME}/f.so`);
  });

  it('what patchelf moves is found where it lies now, what it removes is no field', () => {
    run('gcc', 'main.c', '-o', 'patched', '-Wl,-rpath,/short');
    run('patchelf', '--set-rpath', `${HOME}/${'long/'.repeat(200)}`, 'patched');
    run('patchelf', '--set-interpreter', `${HOME}/${'l/'.repeat(100)}ld.so`, 'patched');
    const grown = healthy('patched').named;
    expect(grown).toContain(`runpath ${HOME}/${'long/'.repeat(200)}`);
    expect(grown).toContain(`interp ${HOME}/${'l/'.repeat(100)}ld.so`);
    run('patchelf', '--remove-rpath', 'patched');
    expect(healthy('patched').named.some((field) => field.startsWith('runpath'))).toBe(false);
  });

  it('static programs, objects, stripped and split files are healthy', () => {
    run('gcc', '-g', 'main.c', '-o', 'whole', `-Wl,-rpath,${HOME}/lib`);
    run('objcopy', '--only-keep-debug', 'whole', 'whole.debug');
    run('gcc', '-static', 'main.c', '-o', 'static');
    run('gcc', '-static-pie', 'main.c', '-o', 'static-pie');
    run('gcc', '-c', 'main.c', '-o', 'main.o');
    copyFileSync(at('whole'), at('stripped'));
    run('strip', '-s', 'stripped');
    const fields = healthy('whole').named;
    expect(healthy('stripped').named).toEqual(fields);
    expect(healthy('whole.debug').named).toEqual([]);
    expect(healthy('static').named).toEqual([]);
    expect(healthy('static-pie').named).toEqual([]);
    expect(healthy('main.o').named).toEqual([]);
  });

  it('compressed debug sections and link-time code', () => {
    run('gcc', '-g', '-gz=zlib', '-c', 'lib.c', '-o', 'zlib.o');
    run('gcc', '-g', '-c', 'lib.c', '-o', 'plain.o');
    run('objcopy', '--compress-debug-sections=zlib-gnu', 'plain.o', 'gnu.o');
    run('gcc', '-flto', '-c', 'lib.c', '-o', 'lto.o');
    expect(packed(healthy('zlib.o'))).toContain('.debug_str zlib');
    expect(packed(healthy('gnu.o')).some((section) => /^\.zdebug_\w+ zdebug$/.test(section))).toBe(true);
    expect(packed(healthy('plain.o'))).toEqual([]);
    expect(packed(healthy('lto.o')).some((section) => /^\.gnu\.lto_f\S* lto$/.test(section))).toBe(true);
    if (run('objcopy', '--help').includes('zstd')) {
      try {
        run('objcopy', '--compress-debug-sections=zstd', 'plain.o', 'zstd.o');
      } catch {
        return; // known to this objcopy, but not built in
      }
      expect(packed(healthy('zstd.o'))).toContain('.debug_str zstd');
    }
  });

  it('32 bit', () => {
    run('gcc', '-m32', '-shared', '-nostdlib', 'lib.c', '-o', 'lib32.so', `-Wl,-rpath,${HOME}/lib32`);
    expect(healthy('lib32.so').named).toEqual([`runpath ${HOME}/lib32`]);
  });

  it('more sections than the header can count', () => {
    const lines = Array.from({ length: 66_000 }, (_, k) => `.section .s${k},"a"\n.byte 1\n`);
    writeFileSync(at('many.s'), lines.join(''));
    run('gcc', '-c', 'many.s', '-o', 'many.o');
    const { sections } = readElf(wholeReader(readFileSync(at('many.o')))) ?? { sections: [] };
    expect(sections.filter(({ name }) => name.startsWith('.s')).length).toBeGreaterThanOrEqual(66_000);
    expect(readElf(wholeReader(readFileSync(at('many.o'))))?.faults).toEqual([]);
  });
});

describe.skipIf(!needs('llvm-mc'))('other machines', () => {
  it.each(['powerpc-linux-gnu', 'powerpc64-linux-gnu', 's390x-linux-gnu', 'aarch64-linux-gnu'])(
    '%s',
    (triple) => {
      writeFileSync(at('big.s'), '.section .zdebug_str,"",@progbits\n.ascii "ZLIB"\n');
      run('llvm-mc', '-filetype=obj', '-triple', triple, 'big.s', '-o', 'big.o');
      expect(packed(healthy('big.o'))).toEqual(['.zdebug_str zdebug']);
    },
  );
});

describe.skipIf(!needs('rustc'))('Rust', () => {
  it('a program is healthy', () => {
    writeFileSync(at('r.rs'), 'fn main() { println!("{}", file!()); }\n');
    run('rustc', '-g', 'r.rs', '-o', 'rust', '-C', `link-arg=-Wl,-rpath,${HOME}/r`);
    expect(healthy('rust').named).toContain(`runpath ${HOME}/r`);
  });
});

function* elfFiles(root: string): Generator<string> {
  const folders = [root];
  for (let next = folders.pop(); next !== undefined; next = folders.pop()) {
    for (const entry of readdirSync(next, { withFileTypes: true })) {
      const path = join(next, entry.name);
      if (entry.isDirectory()) folders.push(path);
      else if (entry.isFile() && isElf(path)) yield path;
    }
  }
}

function isElf(path: string): boolean {
  const descriptor = openSync(path, 'r');
  try {
    const magic = Buffer.alloc(4);
    return readSync(descriptor, magic, 0, 4, 0) === 4 && magic.equals(Buffer.from('\x7fELF'));
  } finally {
    closeSync(descriptor);
  }
}

const LABELS: Readonly<Record<string, string>> = {
  NEEDED: 'DT_NEEDED',
  SONAME: 'DT_SONAME',
  RPATH: 'DT_RPATH',
  RUNPATH: 'DT_RUNPATH',
  AUDIT: 'DT_AUDIT',
  DEPAUDIT: 'DT_DEPAUDIT',
  AUXILIARY: 'DT_AUXILIARY',
  FILTER: 'DT_FILTER',
  CONFIG: 'DT_CONFIG',
};

/** `file: tag text` of each string that readelf shows, sorted. */
function byReadelf(paths: readonly string[]): Map<string, string[]> {
  const text = execFileSync('readelf', ['-dW', ...paths], {
    encoding: 'latin1',
    maxBuffer: 1 << 28,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const found = new Map<string, string[]>();
  let list: string[] = [];
  for (const line of text.split('\n')) {
    const file = /^File: (.*)$/.exec(line);
    if (file !== null) found.set(file[1] ?? '', (list = []));
    const field = /^ 0x[0-9a-f]+ \((\w+)\) .*?\[(.*)\]$/.exec(line);
    const name = LABELS[field?.[1] ?? ''];
    if (name !== undefined) list.push(`${name} ${field?.[2]}`);
  }
  return found;
}

describe.skipIf(!needs('readelf'))('files of this machine', () => {
  it('300 of them: the fields that readelf shows, and no fault', () => {
    const all = [...elfFiles('/usr/lib')];
    const step = Math.max(1, Math.floor(all.length / 300));
    const sample = all.filter((_, k) => k % step === 0).slice(0, 300);
    expect(sample.length).toBeGreaterThan(1);
    const shown = byReadelf(sample);
    let compared = 0;
    for (const path of sample) {
      const { fields, faults } = withFileReader(path, readElf) ?? { fields: [], faults: ['null'] };
      expect(faults, path).toEqual([]);
      const bytes = readFileSync(path);
      const mine = fields
        .filter(({ name }) => name.startsWith('DT_'))
        .map((field) => `${field.name} ${textAt(bytes, field)}`);
      expect(mine.toSorted(), path).toEqual((shown.get(path) ?? []).toSorted());
      compared += mine.length;
    }
    expect(compared).toBeGreaterThan(0);
  });
});
