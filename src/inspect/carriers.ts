import type { ByteString } from '../model/bytes.ts';
import type { Carrier } from '../model/facts.ts';
import { BIG_ENDIAN, byteAt } from '../formats/integers.ts';

/** Files whose text has a meaning that their name alone tells. The first that fits counts. */
const BY_NAME: readonly (readonly [name: RegExp, carrier: Carrier])[] = [
  [/\.pc$/, 'pkg-config'],
  [/\.cmake$/, 'cmake'],
  [/^\.packlist$/, 'packlist'],
  [/^rbconfig\.rb$/, 'ruby-config'],
  // sysconfig's build-time variables, and where pip found what it installed (PEP 610)
  [/^_sysconfigdata.*\.(?:py|json)$/, 'python-config'],
  [/^direct_url\.json$/, 'python-config'],
];

/**
 * What a leak in the plain bytes of a file is called, where the kind of the file says what they
 * mean; null: they are just bytes.
 *
 * Names decide for text that has no sign of its own, first bytes for what a compiler wrote. A name
 * and a first byte that disagree are no fault: carriers tell a reader where to look, and at worst a
 * leak counts as one in plain bytes does.
 *
 * Sources: CPython, Lib/importlib/_bootstrap_external.py (`.pyc`); JVM specification, 4.1; GCC,
 * gcov-io.h; rustc, rustc_metadata; Source Map revision 3.
 *
 * @param name path or name of the file, or of a member of an archive
 * @param head the first bytes of the file; 256 are of use, fewer will do
 */
export function carrierOfFile(name: ByteString, head: Uint8Array): Carrier | null {
  const last = name.slice(name.lastIndexOf('/') + 1);
  for (const [pattern, carrier] of BY_NAME) if (pattern.test(last)) return carrier;
  // Its first line is a comment that says what it is.
  if (last.endsWith('.la') && startsWith(head, '#')) return 'libtool';
  if (last.endsWith('-config') && startsWith(head, '#!')) return 'config-script';
  if (last.endsWith('.map') && isSourceMap(head)) return 'source-map';
  return carrierOfBytes(last, head);
}

function carrierOfBytes(name: ByteString, head: Uint8Array): Carrier | null {
  // A number of the version, then a line break that no copy in text mode would survive.
  if (/\.py[co]$/.test(name) && head[2] === 0x0d && head[3] === 0x0a) return 'python-code';
  if (startsWith(head, 'rust\0\0\0') || (name.endsWith('.rmeta') && startsWith(head, '\x7fELF'))) {
    return 'rust-metadata';
  }
  // The byte order of the machine that it was compiled on.
  if (startsWith(head, 'oncg') || startsWith(head, 'gcno')) return 'gcov-notes';
  return isJavaClass(head) ? 'java-class' : null;
}

/** A fat Mach-O file has the same magic, and a count of architectures where a class has its version. */
function isJavaClass(head: Uint8Array): boolean {
  if (head.length < 8 || BIG_ENDIAN.u32(head, 0) !== 0xcafe_babe) return false;
  return BIG_ENDIAN.u16(head, 6) >= FIRST_JAVA_VERSION;
}

const FIRST_JAVA_VERSION = 45;

/** Other files are called `.map` too: linker maps, keyboard maps, version scripts. */
function isSourceMap(head: Uint8Array): boolean {
  let at = 0;
  while (at < head.length && WHITE.includes(byteAt(head, at))) at += 1;
  // Some servers' guard against inclusion as a script stands before the object.
  return head[at] === 0x7b || startsWith(head, ")]}'");
}

const WHITE: readonly number[] = [0x20, 0x09, 0x0a, 0x0d];

function startsWith(head: Uint8Array, text: string): boolean {
  if (head.length < text.length) return false;
  for (let k = 0; k < text.length; k += 1) if (head[k] !== text.charCodeAt(k)) return false;
  return true;
}
