import type { Carrier, Rule } from '../model/facts.ts';

const RPATH =
  'link without an rpath into the build machine (CMake: -DCMAKE_SKIP_BUILD_RPATH=ON), ' +
  'or set it in postFixup with patchelf --set-rpath or --shrink-rpath';
const MACHO_NAME = 'set the library name in postFixup with install_name_tool -id and -change';

const BUILD_FILE = 'have the build write ${prefix} or $out there, or replace the path with substituteInPlace';

const BY_CARRIER: Readonly<Record<Carrier, string | null>> = {
  bytes: null,
  symlink: 'make the link relative or point it into $out (ln -sr), not at where it was built or unpacked',
  'entry-name':
    'install below $out itself: set --prefix=$out and do not add DESTDIR to an absolute path again',
  rpath: RPATH,
  runpath: RPATH,
  interp: 'set the interpreter with patchelf --set-interpreter, or link without -Wl,--dynamic-linker',
  needed: 'give the library a SONAME (-Wl,-soname) or rewrite the entry with patchelf --replace-needed',
  soname: 'set a bare name with -Wl,-soname or patchelf --set-soname',
  audit: 'link without --audit and --depaudit, or name a library of the store there',
  filter: 'link without --filter and --auxiliary, or name a library of the store there',
  config: 'link without -z config, or name a file of the store there',
  'macho-rpath': 'remove it in postFixup with install_name_tool -delete_rpath',
  'macho-dylib': MACHO_NAME,
  'macho-dylinker': 'link with the system dynamic linker, without -dylinker_install_name',
  shebang: 'run patchShebangs on it, or install it with an interpreter of the store',
  pdb: 'link with /PDBALTPATH:%_PDB% (MSVC, lld: -Wl,-pdbaltpath:%_PDB%), or for .NET set -p:PathMap',
  'pkg-config': BUILD_FILE,
  libtool: 'remove the .la file (find $out -name "*.la" -delete), or rewrite it with substituteInPlace',
  cmake:
    'let targets name $<INSTALL_INTERFACE:include> and not the build tree, or replace the path with substituteInPlace',
  'config-script': BUILD_FILE,
  'python-code':
    'compile with python -m compileall -s $NIX_BUILD_TOP (or -d with the installed directory) after installing',
  'python-config':
    'remove direct_url.json (pip install from a wheel does not write it), or replace the path with substituteInPlace',
  'ruby-config': BUILD_FILE,
  packlist: 'remove it (find $out -name .packlist -delete), or install with NO_PACKLIST=1',
  'source-map':
    'build source maps with relative sources (esbuild --source-root, tsc --sourceRoot), or leave them out',
  'java-class':
    'have annotation processors and code generators write relative paths, or compile with -g:none',
  'rust-metadata': 'build with --remap-path-prefix (RUSTFLAGS), or leave .rlib and .rmeta out of the output',
  'gcov-notes': 'leave .gcno files out of the output (find $out -name "*.gcno" -delete)',
};

const BY_RULE: Readonly<Record<Rule, string>> = {
  'known-home':
    'map the path away: -ffile-prefix-map (C, C++), --remap-path-prefix (Rust), -trimpath (Go), ' +
    'or strip the file or remove the text with substituteInPlace',
  'store-alias':
    'write $out instead of a resolved path (no realpath, readlink -f, pwd -P), or replace the ' +
    'physical path by the logical one with nix-realpath or substituteInPlace',
  'root-home':
    'build with HOME=$TMPDIR and map the path away with -ffile-prefix-map, --remap-path-prefix or -trimpath',
  'placeholder-home':
    'this is usually documentation; replace it with substituteInPlace if the program reads it',
  'foreign-home':
    'if it is of this build, name it with --home and map it away with -ffile-prefix-map, ' +
    '--remap-path-prefix or -trimpath; if it came from upstream, remove it with substituteInPlace',
  'build-dir': 'map the build directory away with -ffile-prefix-map, --remap-path-prefix or -trimpath',
};

/** One sentence: what to change in the build so that this leak does not come again. */
export function remedyFor(rule: Rule, carrier: Carrier): string {
  if (rule === 'store-alias' && (carrier === 'symlink' || carrier === 'shebang')) {
    return BY_RULE['store-alias'];
  }
  return BY_CARRIER[carrier] ?? BY_RULE[rule];
}
