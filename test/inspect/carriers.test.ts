import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { carrierOfFile } from '../../src/inspect/carriers.ts';
import { CARRIERS } from '../../src/model/facts.ts';
import { writeElf } from '../support/elfWriter.ts';
import { writeFat, writeMacho } from '../support/machoWriter.ts';

const bytes = (text: string): Uint8Array => Buffer.from(text, 'latin1');
const CLASS = '\xca\xfe\xba\xbe\0\0\0\x34\0\x22';

describe('the kind of a file names the carrier', () => {
  it.each([
    ['lib/pkgconfig/x.pc', 'prefix=/home/alice', 'pkg-config'],
    ['lib/libx.la', '# libx.la - a libtool library file', 'libtool'],
    ['lib/cmake/X/XTargets-release.cmake', 'set(x)', 'cmake'],
    ['bin/x-config', '#!/bin/sh\n', 'config-script'],
    ['lib/perl5/auto/X/.packlist', '/home/alice/x', 'packlist'],
    ['lib/ruby/3.3.0/x86_64-linux/rbconfig.rb', 'module RbConfig', 'ruby-config'],
    ['lib/python3.13/_sysconfigdata__linux_x86_64-linux-gnu.py', 'build_time_vars', 'python-config'],
    ['lib/python3.14/_sysconfig_vars__linux.json', '{}', null],
    ['x-1.0.dist-info/direct_url.json', '{"url": "file:///home/alice/x"}', 'python-config'],
    ['dist/x.js.map', '{"version":3}', 'source-map'],
    ['dist/x.js.map', ' \n{"version":3}', 'source-map'],
    ['dist/x.js.map', ")]}'\n{}", 'source-map'],
    ['x/__pycache__/a.cpython-313.pyc', '\xf3\x0d\x0d\x0a', 'python-code'],
    ['x/A.class', CLASS, 'java-class'],
    ['A', CLASS, 'java-class'],
    ['a.gcno', 'oncg*33B', 'gcov-notes'],
    ['a.gcno', 'gcnoB33*', 'gcov-notes'],
    ['lib.rmeta', 'rust\0\0\0\x0a', 'rust-metadata'],
    ['lib.rmeta', Buffer.from(writeElf({ wide: true, big: false })).toString('latin1'), 'rust-metadata'],
  ] as const)('%s, %j', (name, head, carrier) => {
    expect(carrierOfFile(name, bytes(head))).toBe(carrier);
  });

  it.each([
    ['a name alone that is no script', 'bin/x-config', '\x7fELF'],
    ['a file of another kind that is called .la', 'x.la', 'text'],
    ['a linker map', 'a.map', 'Archive member included'],
    ['a version script, which begins with a brace only behind its name', 'lib.map', 'X_1 { global: *; };'],
    ['text that says it is bytecode', 'a.pyc', 'text'],
    ['a name that only ends alike', 'apc', 'prefix=/'],
    ['a folder that is called so', 'x.pc/a', 'prefix=/'],
    ['a program', 'bin/x', '\x7fELF'],
    ['nothing', '', ''],
  ])('but not %s', (_, name, head) => {
    expect(carrierOfFile(name, bytes(head))).toBeNull();
  });

  it('a fat Mach-O file is no Java class', () => {
    const fat = writeFat([writeMacho({ wide: true, big: false, strings: [] })], false);
    expect(carrierOfFile('x', fat)).toBeNull();
  });
});

it('any name and any bytes give a carrier of the table or none', () => {
  const name = fc.oneof(
    fc.string({ unit: 'binary-ascii' }),
    fc.constantFrom('a.pyc', 'a.map', 'x-config', 'a.rmeta'),
  );
  fc.assert(
    fc.property(name, fc.uint8Array({ maxLength: 12 }), (name, head) => {
      expect([null, ...CARRIERS]).toContain(carrierOfFile(name, head));
    }),
  );
});
