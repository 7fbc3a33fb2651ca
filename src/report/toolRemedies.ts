import type { Location } from '../model/facts.ts';

/**
 * What wrote a file, by its name, and how that is told not to write where it worked. The first
 * that fits counts. Names of members count before those of what holds them.
 */
const BY_NAME: readonly (readonly [name: RegExp, remedy: string])[] = [
  [
    /(?:^|\/)objects\.inv$|\.doctree$|(?:^|\/)environment\.pickle$/,
    'run sphinx-build with relative paths in conf.py and leave .doctrees out of the output (sphinx-build -d $TMPDIR/doctrees)',
  ],
  [
    /(?:^|\/)\.git(?:\/|$)|(?:^|\/)[^/]*\.git\/|(?:^|\/)FETCH_HEAD$/,
    'leave .git out of the output (fetchgit without leaveDotGit, git archive instead of git clone)',
  ],
  [
    /\.(?:dll|exe|winmd|nupkg)$/i,
    'build with -p:DeterministicSourcePaths=true or -p:PathMap=$PWD=/_ (.NET), /PDBALTPATH and -ffile-prefix-map (native)',
  ],
  [
    /\.(?:pdf|fmt|dvi|aux|toc|log|synctex)$/,
    'typeset with paths relative to the source (TeX: \\pdfsuppressptexinfo=-1, no -synctex=1), and leave .aux and .log out of the output',
  ],
  [
    /\.(?:swiftmodule|swiftinterface|swiftdoc|pcm)$/,
    'compile with -file-prefix-map OLD=NEW (Swift: also -Xfrontend -no-serialize-debugging-options; clang: -ffile-prefix-map)',
  ],
  [
    /(?:^|\/)(?:package\.json|package-lock\.json|\.package-lock\.json)$|\.tsbuildinfo$/,
    'install with npm ci --install-links, leave .tsbuildinfo out, and rewrite what is left with substituteInPlace',
  ],
  [
    /\.js$|\.mjs$|\.cjs$|\.css$/,
    'bundle with relative sources (esbuild --source-root, webpack devtoolModuleFilenameTemplate, output.pathinfo=false), without inline source maps',
  ],
  [
    /(?:^|\/)RECORD$|\.egg-link$|(?:^|\/)__editable__[^/]*$|\.pth$/,
    'install from a wheel (pip install --no-index dist/*.whl), never with pip install -e or setup.py develop',
  ],
  [
    /(?:^|\/)MANIFEST\.MF$|\.properties$/,
    'keep paths of the build machine out of the manifest (Maven: addClasspath=false), or use substituteInPlace before jar packs it',
  ],
  [
    /\.(?:rdb|rds|rda|rdx)$/i,
    'install R packages with R CMD INSTALL --no-keep.source (options(keep.source=FALSE)), which stores no source references',
  ],
  [
    /\.(?:beam|app)$/,
    'compile with +deterministic (erlc, ERL_COMPILER_OPTIONS=deterministic), which leaves source and options out',
  ],
  [
    /\.(?:cmt|cmti|cma|cmo|cmxa|cmx)$/,
    'compile with BUILD_PATH_PREFIX_MAP=/_=$PWD (OCaml, dune) and without -bin-annot where nobody reads .cmt',
  ],
  [
    /(?:^|\/)(?:config\.log|config\.status|CMakeCache\.txt|Makefile|build\.ninja|compile_commands\.json)$/,
    'do not install what configure left behind: remove it from $out in postInstall (find $out -name config.status -delete)',
  ],
];

/** What to tell the tool that wrote the file, or null where the name says nothing. */
export function toolRemedy({ entry, container }: Location): string | null {
  for (const name of [...container.toReversed(), entry]) {
    const known = BY_NAME.find(([pattern]) => pattern.test(name));
    if (known !== undefined) return known[1];
  }
  return null;
}

/** Every sentence, for what looks them over. */
export const TOOL_REMEDIES: readonly string[] = BY_NAME.map(([, remedy]) => remedy);
