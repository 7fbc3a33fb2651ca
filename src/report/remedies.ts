import type { Carrier, Rule, TracedFinding } from '../model/facts.ts';
import { toolRemedy } from './toolRemedies.ts';

const RPATH =
  'link without an RPATH into the build machine (CMake: -DCMAKE_SKIP_BUILD_RPATH=ON), ' +
  'or cut it in postFixup with patchelf --set-rpath or --shrink-rpath';

/** What is to be changed in the build where somebody's home stands in a carrier. */
const HOME: Readonly<Record<Carrier, string>> = {
  bytes:
    'map the path away: -ffile-prefix-map (C, C++), --remap-path-prefix (Rust), -trimpath (Go); ' +
    'else strip the file or replace the text with substituteInPlace',
  symlink: 'make the link relative or point it into $out (ln -sr), not at where it was built or unpacked',
  'entry-name':
    'install below $out itself: set --prefix=$out, and do not add DESTDIR to an absolute path again',
  rpath: RPATH,
  runpath: RPATH,
  interp: 'set the interpreter with patchelf --set-interpreter, or link without -Wl,--dynamic-linker',
  needed: 'give the library a SONAME (-Wl,-soname), or rewrite the entry with patchelf --replace-needed',
  soname: 'set a bare name with -Wl,-soname or patchelf --set-soname',
  audit: 'link without --audit and --depaudit, or name a library of the store there',
  filter: 'link without --filter and --auxiliary, or name a library of the store there',
  config: 'link without -z config, or name a file of the store there',
  'macho-rpath':
    'remove it in postFixup with install_name_tool -delete_rpath (CMake: -DCMAKE_SKIP_BUILD_RPATH=ON)',
  'macho-dylib':
    'name the library in postFixup with install_name_tool -id and -change (CMake: -DCMAKE_INSTALL_NAME_DIR=$out/lib)',
  'macho-dylinker': 'link with the system dynamic linker, without -dylinker_install_name',
  shebang: 'run patchShebangs on it, or install it with an interpreter of the store (make PERL=… PYTHON=…)',
  pdb: 'link with /PDBALTPATH:%_PDB% (lld: -Wl,-pdbaltpath:%_PDB%); for .NET set -p:PathMap or -p:DeterministicSourcePaths=true',
  'pkg-config':
    'have the template say ${prefix}/lib and configure with --prefix=$out, or rewrite it with substituteInPlace',
  libtool: 'remove the .la file (find $out -name "*.la" -delete), or rewrite it with substituteInPlace',
  cmake:
    'give targets $<INSTALL_INTERFACE:include>, not the build tree, and export installed targets; else rewrite it with substituteInPlace',
  'config-script':
    'configure with --prefix=$out and keep build flags out of the script, or rewrite it with substituteInPlace',
  'python-code':
    'compile what is installed, naming its place: python -m compileall -s "$PWD" -p "$out" lib; PYTHONDONTWRITEBYTECODE=1 before that',
  'python-config':
    'remove direct_url.json (pip writes none for an index), or rewrite the path with substituteInPlace',
  'ruby-config': 'rewrite CONFIG["configure_args"] and the like in rbconfig.rb with substituteInPlace',
  packlist: 'remove it (find $out -name .packlist -delete), or install with NO_PACKLIST=1',
  'source-map':
    'write relative sources (tsc --sourceRoot /, esbuild --source-root, webpack devtoolModuleFilenameTemplate), or leave source maps out',
  'java-class':
    'compile with javac -g:none, or have code generators and annotation processors write relative paths',
  'rust-metadata':
    'build with RUSTFLAGS=--remap-path-prefix=$NIX_BUILD_TOP=/build, or leave .rlib and .rmeta out of the output',
  'gcov-notes':
    'build without --coverage, or leave the notes out of the output (find $out -name "*.gcno" -delete)',
};

const RPATH_OF_STORE =
  'link with the logical store path (-rpath $out/lib, CMake: -DCMAKE_INSTALL_RPATH=$out/lib), ' +
  'or rewrite it in postFixup with patchelf --set-rpath';

/** How the physical path of a store gets out of a carrier, where that is another way than for a home. */
const ALIAS: Readonly<Partial<Record<Carrier, string>>> = {
  symlink:
    'link to $out or a path of the store as Nix names it, not to what realpath, readlink -f or pwd -P gave',
  'entry-name':
    'install below $out as Nix names it: no realpath, readlink -f or pwd -P in the install prefix (--prefix=$out)',
  rpath: RPATH_OF_STORE,
  runpath: RPATH_OF_STORE,
  'macho-rpath':
    'name libraries by the logical store path when linking, or rewrite it with install_name_tool -rpath OLD NEW',
  'ruby-config':
    'turn physical paths in rbconfig.rb into $out with substituteInPlace, others away with removeReferencesTo',
  shebang:
    'run patchShebangs with interpreters found by the logical store path, not by readlink -f or realpath',
  'python-code':
    'compile under the logical store path: python -m compileall -s PHYSICAL -p LOGICAL "$out", or resolve with nix-realpath',
};

const ALIAS_ANYWHERE =
  'write $out instead of a resolved path (no realpath, readlink -f, pwd -P), or turn the ' +
  'physical path into the logical one with nix-realpath or substituteInPlace';

/** Text that nothing follows as a path, or not every time: whose home it is decides what to do. */
const TEXT: Readonly<Partial<Record<Rule, string>>> = {
  'root-home':
    'build with HOME=$TMPDIR, and map the path away with -ffile-prefix-map, --remap-path-prefix or -trimpath',
  'placeholder-home':
    'this is usually documentation; replace it with substituteInPlace if the program reads it',
  'foreign-home':
    'if it is of this build, name it with --home and map it away with -ffile-prefix-map, ' +
    '--remap-path-prefix or -trimpath; if it came from upstream, waive it or use substituteInPlace',
  'build-dir':
    'map the build directory away with -ffile-prefix-map=$NIX_BUILD_TOP=., --remap-path-prefix or -trimpath',
};

/** Where the text stands in a source already. */
const UPSTREAM =
  'upstream wrote it; replace it with substituteInPlace or a patch if the program reads it, and tell upstream';

/** Text of a script, a configuration or a manual, in which no compiler wrote. */
const PLAIN_TEXT =
  'write a path relative to $out, or found when it runs, where the text is made; ' +
  'else replace it in postInstall (substituteInPlace, sed -i)';

/** Whether a leak lies in a script or the like: by its name, what stands around it, and for want of a section. */
function isPlainText({ encoding, location, evidence, marked: [start, end] }: TracedFinding): boolean {
  if (!SCRIPT.test(location.container.at(-1) ?? location.entry) || evidence.length <= end - start)
    return false;
  return (
    encoding === 'plain' && location.section === undefined && /^[\t\n\r\x20-\x7e\x80-\xff]*$/.test(evidence)
  );
}

/** One sentence: what to change in the build so that such a leak does not come again. */
export function remedyFor(rule: Rule, carrier: Carrier): string {
  if (rule === 'store-alias') return ALIAS[carrier] ?? (FIELDS.has(carrier) ? HOME[carrier] : ALIAS_ANYWHERE);
  return (carrier === 'bytes' ? TEXT[rule] : undefined) ?? HOME[carrier];
}

/** The same for one leak, which may lie in a file whose name tells who wrote it. */
export function remedyOf(finding: TracedFinding): string {
  const { rule, carrier, alias, location, source } = finding;
  if (source !== undefined) return UPSTREAM;
  // a store in somebody's home is named by the home, but it got there as a store does
  if (alias !== null) return remedyFor('store-alias', carrier);
  if (carrier !== 'bytes' || !WRITTEN_HERE.has(rule)) return remedyFor(rule, carrier);
  const tool = toolRemedy(location);
  if (tool !== null || rule !== 'known-home') return tool ?? remedyFor(rule, carrier);
  return isPlainText(finding) ? PLAIN_TEXT : remedyFor(rule, carrier);
}

/** Names of scripts, configurations and manuals; and of programs without an ending, in which text is a script's. */
const SCRIPT =
  /\.(?:sh|bash|zsh|fish|csh|pl|pm|py|rb|lua|tcl|awk|conf|cfg|ini|toml|ya?ml|json|xml|service|desktop|txt|md|html?|[1-9])$|(?:^|\/)s?bin\/[^/.]+$/;

/** Fields of binaries that one tool rewrites, whatever stands in them. */
const FIELDS = new Set<Carrier>([
  'interp',
  'needed',
  'soname',
  'audit',
  'filter',
  'config',
  'macho-dylib',
  'macho-dylinker',
]);

/** Rules whose findings this build wrote, most likely. */
const WRITTEN_HERE = new Set<Rule>(['known-home', 'root-home', 'build-dir']);
