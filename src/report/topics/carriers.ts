import { type Carrier, CARRIERS } from '../../model/facts.ts';
import { remedyFor } from '../remedies.ts';
import type { Topic, Words } from './topic.ts';

const LOADED =
  'The loader looks there each time the program starts: it fails elsewhere, or loads what somebody put there.';
const TOLD = 'Nothing follows the path, but it tells who built this and where, and makes builds differ.';
const BUILDS =
  'Whatever is built against this package searches that directory, and writes it into its own output.';

const WORDS: Readonly<Record<Carrier, Words>> = {
  bytes: {
    what: 'The bytes of a file, where nothing says what they mean.',
    why: TOLD,
    cause:
      'Assertions and panics with __FILE__, debug information, string tables, generated text, logs of the build.',
  },
  symlink: {
    what: 'The target of a symbolic link, absolute or climbing (../../..).',
    why: 'The link leads nowhere on another machine, or to what somebody put there.',
    cause: 'ln -s with an absolute path, or an archive that was unpacked with its links.',
  },
  'entry-name': {
    what: 'The names of entries of the output, or of members of an archive, that join to a path such as home/you/….',
    why: 'Files lie where nobody looks for them, below a path that tells who built them.',
    cause: 'DESTDIR joined to an absolute prefix, cp --parents, tar without -C.',
  },
  rpath: {
    what: 'DT_RPATH of an ELF file: where its libraries are looked for, before anything else.',
    why: LOADED,
    cause:
      '-Wl,-rpath with --disable-new-dtags, libtool, or an RPATH for the build tree that install did not remove.',
  },
  runpath: {
    what: 'DT_RUNPATH of an ELF file: where its libraries are looked for.',
    why: LOADED,
    cause:
      '-Wl,-rpath, libtool, CMake installing a target by its file, or the linker wrapper with a physical store path.',
  },
  interp: {
    what: 'PT_INTERP of an ELF file: the loader that the kernel starts for it.',
    why: LOADED,
    cause: '-Wl,--dynamic-linker, or a C library that was built in a home.',
  },
  needed: {
    what: 'DT_NEEDED of an ELF file: a library by its path.',
    why: LOADED,
    cause: 'A library without a SONAME was linked by its path.',
  },
  soname: {
    what: 'DT_SONAME of an ELF file: the name that users of the library will ask for.',
    why: 'Every program that is linked with it asks for it by that path.',
    cause: '-Wl,-soname with a path.',
  },
  audit: {
    what: 'DT_AUDIT or DT_DEPAUDIT of an ELF file: a library that watches the loader.',
    why: LOADED,
    cause: '-Wl,--audit or -Wl,--depaudit with a path.',
  },
  filter: {
    what: 'DT_FILTER or DT_AUXILIARY of an ELF file: a library that stands in for this one.',
    why: LOADED,
    cause: '-Wl,--filter or -Wl,--auxiliary with a path.',
  },
  config: {
    what: 'DT_CONFIG of an ELF file: a configuration file of the loader.',
    why: LOADED,
    cause: '-z config with a path.',
  },
  'macho-rpath': {
    what: 'LC_RPATH of a Mach-O file: what @rpath means.',
    why: LOADED,
    cause: '-Wl,-rpath, or an RPATH for the build tree that install did not remove.',
  },
  'macho-dylib': {
    what: 'LC_LOAD_DYLIB, LC_ID_DYLIB and the like of a Mach-O file: libraries by their paths.',
    why: LOADED,
    cause: 'A library was linked before it got its last install name.',
  },
  'macho-dylinker': {
    what: 'LC_LOAD_DYLINKER of a Mach-O file: the loader that the kernel starts for it.',
    why: LOADED,
    cause: '-dylinker_install_name.',
  },
  shebang: {
    what: 'The interpreter in the first line of a script.',
    why: 'The script does not start on another machine, or starts what somebody put there.',
    cause:
      'An installer wrote the interpreter that it ran in: a virtualenv, ~/.local/bin, a realpath of the store.',
  },
  pdb: {
    what: 'The path of the PDB file in the debug directory of a PE file.',
    why: TOLD,
    cause: 'Linkers of MSVC, LLVM and .NET write the full path of the debug file that they made.',
  },
  'pkg-config': {
    what: 'A .pc file of pkg-config.',
    why: BUILDS,
    cause: 'configure was given a prefix or flags with that path.',
  },
  libtool: {
    what: 'A .la file of libtool.',
    why: BUILDS,
    cause: 'libtool notes every directory that it was given by -L.',
  },
  cmake: {
    what: 'A CMake package file.',
    why: BUILDS,
    cause: 'A target was exported with paths of the build tree, or found a library by its full path.',
  },
  'config-script': {
    what: 'A script such as foo-config, which prints flags.',
    why: BUILDS,
    cause: 'configure wrote its own flags and prefix into it.',
  },
  'python-code': {
    what: 'Compiled Python (.pyc), which names its source.',
    why: TOLD,
    cause: 'Modules were compiled where they were built, and copied afterwards.',
  },
  'python-config': {
    what: "Python's build-time variables (_sysconfigdata) or the note where pip found a package (direct_url.json).",
    why: 'Extensions that are built with this Python take its flags over.',
    cause: 'The interpreter was configured with that path, or pip installed from a directory.',
  },
  'ruby-config': {
    what: "Ruby's rbconfig.rb.",
    why: 'Extensions that are built with this Ruby take its flags over.',
    cause: 'The interpreter was configured with that path.',
  },
  packlist: {
    what: "A .packlist of Perl's ExtUtils: what was installed, and where.",
    why: TOLD,
    cause: 'make install notes full paths.',
  },
  'source-map': {
    what: 'A source map of JavaScript or CSS.',
    why: TOLD,
    cause: 'A bundler wrote the full or climbing paths of its sources.',
  },
  'java-class': {
    what: 'The constants of a Java class.',
    why: TOLD,
    cause:
      'A code generator, an annotation processor or the language (Kotlin, Scala) put the path of a source into a constant.',
  },
  'rust-metadata': {
    what: 'The metadata of a Rust library (.rlib, .rmeta).',
    why: TOLD,
    cause: 'rustc notes the paths of sources and of the directory it worked in.',
  },
  'gcov-notes': {
    what: 'Notes of GCC for coverage (.gcno).',
    why: TOLD,
    cause: 'The build ran with --coverage.',
  },
};

/** Every carrier, explained. */
export const CARRIER_TOPICS: readonly Topic[] = CARRIERS.map((carrier) => {
  const home = remedyFor('known-home', carrier);
  const alias = remedyFor('store-alias', carrier);
  return {
    kind: 'carrier',
    name: carrier,
    ...WORDS[carrier],
    mend: [`A home: ${home}.`, ...(alias === home ? [] : [`A physical store path: ${alias}.`])],
    waive: ['rule = "foreign-home"', `carrier = "${carrier}"`],
  };
});
