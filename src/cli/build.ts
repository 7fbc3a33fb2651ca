import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type OutputOptions, type Plugin, rolldown, type RolldownBuild } from 'rolldown';
import { once } from '../model/once.ts';
import { manualPage } from './manual.ts';
import { realpathManual } from './realpath/manual.ts';
import { SHELL_FUNCTION } from './realpath/shellFunction.ts';

/*
 * The last step of the build, behind the compiler, which emits types only: bundles, because every
 * thread loads the program anew and a module of its own for each file costs more than the search
 * of a small output; and the files that are no code.
 */
const source = fileURLToPath(new URL('..', import.meta.url));
const dist = join(source, '..', 'dist');
const bundles = join(dist, 'bundle');

/** The modules that something starts by name; what they share lies in chunks beside them. */
const PROGRAM = {
  entry: 'cli/entry.cts',
  main: 'cli/main.ts',
  workerThread: 'scan/workerThread.ts',
  hashThread: 'scan/hashThread.ts',
  decodeThread: 'scan/decodeThread.ts',
  inspectionThread: 'admission/inspection/inspectionThread.ts',
  deliver: 'quarantine/notify/deliver.ts',
};

/**
 * What a scan always loads lies in three files, for each takes time to be found and read: what tells what is to be
 * scanned and starts threads, what every thread needs, and what the main one needs besides.
 */
const SCAN = {
  line: ['cli/arguments.ts', 'cli/invocation.ts', 'cli/crew.ts'],
  work: ['scan/worker.ts'],
  scan: ['cli/scanCommand.ts', 'cli/engine.ts', 'cli/policy/ruling.ts'],
};

/** What needs little of that, and is to start fast. */
const APART = [PROGRAM.entry, PROGRAM.main, PROGRAM.hashThread, PROGRAM.decodeThread, PROGRAM.deliver];

/** What brings an ES module is bundled: Node's loader of those takes as long as all the rest. */
const EXTERNAL = [/^node:/, /^@napi-rs\//, 'fastify', 'pino', 'prom-client', 'yauzl'];

/** nix-realpath, for itself: what it shares with the program lies in its own files again, and there are two. */
const REALPATH = { entry: 'cli/realpath/entry.cts', main: 'cli/realpath/main.ts' };

/**
 * The post-build hook, which starts at every build: what it always needs lies in one file, and what others
 * bring as ES modules is bundled, too, for Node's loader of those takes time.
 */
const HOOK = { hookEntry: 'cli/hook/entry.cts', hook: 'cli/hook/main.ts' };

/** What the hook loads besides to scan a small store path: one file more, for each takes time to be found and read. */
const HOOK_SCAN = ['scan/worker.ts', 'sources/treeTarget.ts', 'sources/quickHasher.ts'];

/** Which modules others import statically; known when all of a build is parsed. */
class Imports {
  readonly #imported = new Map<string, readonly string[]>();
  readonly plugin: Plugin = {
    name: 'imports',
    moduleParsed: ({ id, importedIds }) => void this.#imported.set(id, importedIds),
  };

  /** The modules and all that they import, found out when first asked for. */
  below(files: readonly string[]): () => ReadonlySet<string> {
    return once(() => {
      const found = new Set(files.map((file) => join(source, file)));
      // a set is walked to its end, what is added meanwhile included
      for (const id of found) for (const next of this.#imported.get(id) ?? []) found.add(next);
      return found;
    });
  }
}

async function bundleHook(): Promise<void> {
  const imports = new Imports();
  const core = imports.below([HOOK.hook]);
  const scan = imports.below(HOOK_SCAN);
  const build = await rolldown({
    input: inputsOf(HOOK),
    platform: 'node',
    external: ['yauzl', /^node:/],
    // the Nix database is always needed here, elsewhere it is not
    checks: { ineffectiveDynamicImport: false },
    plugins: [
      {
        name: 'blake-hash',
        resolveId: (id) => (id === '@napi-rs/blake-hash' ? join(source, 'cli/hook/blakeHash.cts') : null),
      },
      imports.plugin,
    ],
  });
  await writeCode(build, {
    dir: bundles,
    format: 'cjs',
    dynamicImportInCjs: false,
    entryFileNames: '[name].cjs',
    chunkFileNames: 'hook-[name]-[hash].cjs',
    codeSplitting: {
      groups: [
        { name: 'core', test: (id) => core().has(id), priority: 1 },
        { name: 'scan', test: (id) => scan().has(id) },
      ],
    },
  });
}

/** Writes bundles in ASCII alone: V8 keeps such a text in half the memory, and Node reads it faster. */
async function writeCode(
  build: RolldownBuild,
  options: OutputOptions & { readonly dir: string },
): Promise<void> {
  const { output } = await build.write(options);
  for (const file of output) {
    if (file.type !== 'chunk') continue;
    // behind a backslash it would be another text; nobody writes that
    if (/\\[^\0-\x7f]/.test(file.code)) throw new Error(`${file.fileName}: a backslash before no ASCII`);
    writeFileSync(join(options.dir, file.fileName), file.code.replaceAll(/[^\0-\x7f]/g, escaped));
  }
}

/** A character of a literal as JavaScript spells it in ASCII. */
function escaped(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

function inputsOf(modules: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(modules).map(([name, file]) => [name, join(source, file)]));
}

/** A program, as CommonJS: Node starts it in half the time that its loader of ES modules takes. */
async function bundleProgram(
  modules: Readonly<Record<string, string>>,
  dir: string,
  grouped: Readonly<Record<string, readonly string[]>> = {},
): Promise<void> {
  const imports = new Imports();
  const build = await rolldown({
    input: inputsOf(modules),
    platform: 'node',
    external: EXTERNAL,
    plugins: [imports.plugin],
  });
  const names = { entryFileNames: '[name].cjs', chunkFileNames: '[name]-[hash].cjs' };
  const apart = imports.below(APART);
  const groups = Object.entries(grouped).map(([name, roots], at, { length }) => {
    const group = imports.below(roots);
    return { name, test: (id: string) => group().has(id) && !apart().has(id), priority: length - at };
  });
  await writeCode(build, {
    dir,
    format: 'cjs',
    ...names,
    ...(groups.length > 0 && { codeSplitting: { groups, includeDependenciesRecursively: false } }),
  });
}

/** The public API, as an ES module; its threads run the program's modules. */
async function bundleLibrary(): Promise<void> {
  const external = [...EXTERNAL, 'p-limit'];
  const build = await rolldown({ input: join(source, 'index.ts'), platform: 'node', external });
  await build.write({
    dir: bundles,
    format: 'esm',
    entryFileNames: '[name].js',
    chunkFileNames: '[name]-[hash].js',
  });
}

/**
 * liblzma's WebAssembly and its licence (LGPL-3.0), from the dev dependency to where the bundled
 * library looks for it: users have no node-liblzma.
 */
function copyLiblzma(): void {
  const library = createRequire(import.meta.url).resolve('node-liblzma/wasm/liblzma.wasm');
  copyFileSync(library, join(bundles, 'liblzma.wasm'));
  copyFileSync(join(dirname(library), '..', '..', 'LICENSE'), join(bundles, 'liblzma.LICENSE'));
}

/** The function that nix-realpath prints. */
function copyShellFunction(): void {
  copyFileSync(join(source, 'cli/realpath', SHELL_FUNCTION), join(bundles, 'realpath', SHELL_FUNCTION));
}

/** The JSON Schemas that the package exports. */
function copySchemas(): void {
  copyFileSync(join(source, 'report', 'report.schema.json'), join(dist, 'report.schema.json'));
  copyFileSync(join(source, 'guard', 'gate.schema.json'), join(dist, 'gate.schema.json'));
}

/** The manual pages, for a package's share/man/man1. */
function writeManuals(): void {
  const { version } = JSON.parse(readFileSync(join(source, '..', 'package.json'), 'utf8')) as {
    version: string;
  };
  writeFileSync(join(dist, 'nar-scan.1'), manualPage(version));
  writeFileSync(join(dist, 'nix-realpath.1'), realpathManual(version));
}

mkdirSync(bundles, { recursive: true });
await bundleProgram(PROGRAM, bundles, SCAN);
await bundleHook();
await bundleProgram(REALPATH, join(bundles, 'realpath'));
await bundleLibrary();
copyLiblzma();
copyShellFunction();
copySchemas();
writeManuals();
