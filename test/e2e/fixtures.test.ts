import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  leakLines,
  narScanReport,
  onlyOutput,
  ROOT,
  type Report,
  type ReportedOutput,
} from '../support/narScan.ts';
import { needs } from '../support/programs.ts';
import { narOf } from '../support/realNix.ts';

const HOME = '/home/noamyr';
const OPTIONS = ['--no-host-homes', '--home', HOME];
const FIXTURES = join(ROOT, 'fixtures');

/** `entry severity rule carrier field`, the field `-` where there is none. */
type Leak = string;

interface Expected {
  readonly verdict: ReportedOutput['verdict'];
  /** Every finding that is an error, and no other. */
  readonly errors: readonly Leak[];
  /** Findings below an error that must be there. */
  readonly warnings?: readonly Leak[];
  /** `entry reason` of every gap, once. */
  readonly gaps?: readonly string[];
}

const contaminated = (...errors: readonly Leak[]): Expected => ({ verdict: 'contaminated', errors });
const notOpened = (entry: string): Expected => ({
  verdict: 'incomplete',
  errors: [],
  gaps: [`${entry} unsupported`],
});
const CLEAN: Expected = { verdict: 'clean', errors: [] };

/** What each fixture must lead to, from the tree and from its NAR alike. */
const EXPECTED: Readonly<Record<string, Expected>> = {
  'leaks/01-assert-path': contaminated('bin/check known-home bytes -'),
  'leaks/01-rust-panic-path': contaminated('bin/third known-home bytes -'),
  'leaks/02-elf-rpath': contaminated('lib/libanswer.so known-home rpath DT_RPATH'),
  'leaks/02-elf-runpath': contaminated('lib/libanswer.so known-home runpath DT_RUNPATH'),
  'leaks/02-elf-runpath-32bit': contaminated('lib/libanswer.so known-home runpath DT_RUNPATH'),
  'leaks/03-dead-rpath-bytes': contaminated('lib/libanswer.so known-home bytes -'),
  'leaks/05-elf-audit': contaminated(
    'lib/libanswer.so known-home audit DT_AUDIT',
    'lib/libanswer.so known-home audit DT_DEPAUDIT',
  ),
  'leaks/05-elf-filter': contaminated(
    'lib/libanswer.so known-home filter DT_AUXILIARY',
    'lib/libanswer.so known-home filter DT_FILTER',
  ),
  'leaks/05-elf-interp': contaminated('bin/ask known-home interp PT_INTERP'),
  'leaks/05-elf-needed': contaminated('bin/ask known-home needed DT_NEEDED'),
  'leaks/05-elf-soname': contaminated('lib/libanswer.so known-home soname DT_SONAME'),
  'leaks/05-shebang': contaminated('bin/tool known-home shebang #!'),
  'leaks/06-symlinks': contaminated(
    'bin/absolute known-home symlink -',
    'bin/climbing known-home symlink -',
    'bin/physical known-home symlink -',
  ),
  'leaks/07-compressed-debug': notOpened('lib/answer.o'),
  'leaks/09-archive-member': {
    ...contaminated('lib/libcheck.a known-home bytes -'),
    gaps: ['lib/libcheck.a unsupported'],
  },
  'leaks/11-python-cache': contaminated('lib/__pycache__/answer.cpython-311.pyc known-home bytes -'),
  'leaks/12-wheel': notOpened('share/answer-1-py3-none-any.whl'),
  'leaks/13-tarball': notOpened('share/answer.tar.gz'),
  'leaks/14-man-page-bz2': notOpened('share/man/man1/answer.1.bz2'),
  'leaks/14-man-page-gz': notOpened('share/man/man1/answer.1.gz'),
  'leaks/14-man-page-lz': notOpened('share/man/man1/answer.1.lz'),
  'leaks/14-man-page-lz4': notOpened('share/man/man1/answer.1.lz4'),
  'leaks/14-man-page-xz': notOpened('share/man/man1/answer.1.xz'),
  'leaks/14-man-page-zst': notOpened('share/man/man1/answer.1.zst'),
  'leaks/18-build-files': contaminated(
    'bin/answer-config known-home bytes -',
    'lib/cmake/answer/answerTargets.cmake known-home bytes -',
    'lib/libanswer.la known-home bytes -',
    'lib/pkgconfig/answer.pc known-home bytes -',
  ),
  'leaks/19-entry-names': contaminated('home/noamyr known-home entry-name -'),
  'leaks/19-entry-names-foreign': contaminated('home/alice foreign-home entry-name -'),
  'leaks/20-packed-strings': contaminated('share/strings known-home bytes -'),
  'leaks/21-macho': contaminated(
    'lib/libanswer.dylib known-home macho-dylib LC_ID_DYLIB',
    'lib/libanswer.dylib known-home macho-dylib LC_LOAD_DYLIB',
    'lib/libanswer.dylib known-home macho-rpath LC_RPATH',
  ),
  'leaks/21-macho-fat': contaminated(
    'lib/libanswer.dylib known-home macho-dylib LC_ID_DYLIB',
    'lib/libanswer.dylib known-home macho-dylib LC_LOAD_DYLIB',
    'lib/libanswer.dylib known-home macho-rpath LC_RPATH',
  ),
  'leaks/22-source-map': contaminated('share/app.js.map known-home bytes -'),
  'leaks/23-store-alias': contaminated(
    'bin/alias known-home symlink -',
    'bin/tool known-home shebang #!',
    'share/tool.conf known-home bytes -',
  ),
  'leaks/23-store-alias-text': contaminated(
    'share/prefix known-home bytes -',
    'share/project store-alias bytes -',
  ),
  'leaks/24-coverage-notes': contaminated('lib/answer.gcno known-home bytes -'),
  'leaks/25-aliases-of-homes': contaminated(
    'share/bsd known-home bytes -',
    'share/mac known-home bytes -',
    'share/macos known-home bytes -',
    'share/ostree known-home bytes -',
    'share/solaris known-home bytes -',
    'share/windows known-home bytes -',
    'share/wsl known-home bytes -',
  ),
  'ok/01-assert-path': CLEAN,
  'ok/01-rust-panic-path': CLEAN,
  'ok/02-elf-runpath': CLEAN,
  'ok/05-shebang': CLEAN,
  'ok/06-symlinks': CLEAN,
  'ok/18-build-files': CLEAN,
  'ok/19-entry-names': CLEAN,
  'ok/20-packed-strings': CLEAN,
  'ok/21-macho': CLEAN,
  'ok/23-store-alias-text': CLEAN,
  'ok/23-store-alias': CLEAN,
  'ok/words': { verdict: 'clean', errors: [], warnings: ['share/words foreign-home bytes -'] },
};

/** The NARs and the export stream beside the trees, and the tree whose content they are. */
const STREAMS: Readonly<Record<string, string>> = {
  'leaks/23-store-alias.nar': 'leaks/23-store-alias',
  'leaks/23-store-alias.export': 'leaks/23-store-alias',
  'ok/23-store-alias.nar': 'ok/23-symlinked-store',
};

const kinds = (output: ReportedOutput, wanted: (severity: string) => boolean): readonly Leak[] => [
  ...new Set(
    output.findings
      .filter(({ severity }) => wanted(severity))
      .map(({ rule, carrier, location }) => `${location.entry} ${rule} ${carrier} ${location.field ?? '-'}`)
      .toSorted(),
  ),
];

function expectOutput(output: ReportedOutput, expected: Expected): void {
  expect({
    verdict: output.verdict,
    errors: kinds(output, (severity) => severity === 'error'),
    gaps: [...new Set(output.gaps.map(({ reason, location }) => `${location.entry} ${reason}`))].toSorted(),
  }).toEqual({ verdict: expected.verdict, errors: expected.errors, gaps: expected.gaps ?? [] });
  const below = kinds(output, (severity) => severity !== 'error');
  for (const warning of expected.warnings ?? []) expect(below).toContain(warning);
}

function outputAt(report: Report, index: number): ReportedOutput {
  const output = report.outputs[index];
  if (output === undefined) throw new Error(`no output ${index}: ${JSON.stringify(report.errors)}`);
  return output;
}

const STATUS = { clean: 0, contaminated: 1, incomplete: 3 } as const;

describe('every fixture leads to what it shows', () => {
  it('has nothing to say of fixtures that are not there', () => {
    const present = ['leaks', 'ok'].flatMap((folder) =>
      readdirSync(join(FIXTURES, folder), { withFileTypes: true })
        .filter((entry) => entry.isDirectory())
        .map((entry) => `${folder}/${entry.name}`),
    );
    expect(present).toEqual(expect.arrayContaining(Object.keys(EXPECTED)));
  });

  /** One run over all trees, one over their NARs: each target has its own output. */
  const names = Object.keys(EXPECTED);
  const packsNars = needs('nix-store');
  let folder: string;
  let trees: Report;
  let nars: Report;
  let status: number | null;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'nar-scan-nars-'));
    const treeRun = narScanReport([...OPTIONS, ...names.map((name) => join(FIXTURES, name))]);
    trees = treeRun.report;
    status = treeRun.status;
    if (!packsNars) return;
    const files = names.map((name, index) => {
      const file = join(folder, `${index}.nar`);
      writeFileSync(file, narOf(join(FIXTURES, name)));
      return file;
    });
    nars = narScanReport([...OPTIONS, ...files]).report;
  });

  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  for (const [index, [name, expected]] of Object.entries(EXPECTED).entries()) {
    it(`${name} is ${expected.verdict}`, () => {
      const output = outputAt(trees, index);
      expect(output.target).toBe(join(FIXTURES, name));
      expectOutput(output, expected);
    });

    it.skipIf(!packsNars)(`${name} is the same as a NAR`, () => {
      const [fromTree, fromNar] = [outputAt(trees, index), outputAt(nars, index)];
      expectOutput(fromNar, expected);
      expect(leakLines(fromNar)).toEqual(leakLines(fromTree));
      const { files, bytes } = fromTree.stats;
      expect(fromNar.stats).toMatchObject({ files, bytes });
    });
  }

  it('the run over all of them has an output for each, and is contaminated', () => {
    expect(trees.outputs).toHaveLength(names.length);
    expect([trees.verdict, trees.errors, status]).toEqual(['contaminated', [], 1]);
  });

  for (const verdict of ['clean', 'contaminated', 'incomplete'] as const) {
    it(`one that is ${verdict} exits with ${STATUS[verdict]} alone`, () => {
      const name = names.find((candidate) => EXPECTED[candidate]?.verdict === verdict) ?? '';
      expect(narScanReport([...OPTIONS, join(FIXTURES, name)]).status).toBe(STATUS[verdict]);
    });
  }

  for (const [stream, tree] of Object.entries(STREAMS)) {
    it(`${stream} says the same as ${tree}`, () => {
      const expected = EXPECTED[tree];
      if (expected === undefined) throw new Error(`no expectation for ${tree}`);
      expectOutput(onlyOutput(narScanReport([...OPTIONS, join(FIXTURES, stream)]).report), expected);
    });
  }
});
