import { syncBuiltinESMExports } from 'node:module';
import type { WorkerOptions } from 'node:worker_threads';
import { pathToFileURL } from 'node:url';
import { inject } from 'vitest';
import { ROOT } from './narScan.ts';

/*
 * Set up before the tests of a file: threads get the sources without types (strippedSources.ts). Node strips
 * types with WebAssembly that calls back into JavaScript, in every thread for itself; where several do so at
 * once V8 may lose count of its code and take the process with it (https://github.com/nodejs/node/issues/64500),
 * with memory keys or without. What is built has no types to strip.
 */

const [sources, stripped] = [`${ROOT}/src/`, `${inject('strippedSources')}/src/`].map(
  (folder) => pathToFileURL(folder).href,
);

/** A module that Node loads first: what comes from the one folder is read in the other. */
const hook = `
  import { readFileSync } from 'node:fs';
  import { registerHooks } from 'node:module';
  const [sources, stripped] = ${JSON.stringify([sources, stripped])};
  registerHooks({
    load(url, context, next) {
      if (!url.startsWith(sources) || !url.endsWith('.ts')) return next(url, context);
      const source = readFileSync(new URL(stripped + url.slice(sources.length)));
      return { format: 'module', source, shortCircuit: true };
    },
  });
`;

const threads = process.getBuiltinModule('node:worker_threads');
threads.Worker = class extends threads.Worker {
  constructor(file: string | URL, { execArgv = [], ...options }: WorkerOptions = {}) {
    const preloaded = `data:text/javascript,${encodeURIComponent(hook)}`;
    super(file, { ...options, execArgv: [...execArgv, '--import', preloaded] });
  }
};
syncBuiltinESMExports();
