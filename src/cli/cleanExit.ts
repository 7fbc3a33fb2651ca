/* Like the entry files that ask it, this must parse on every Node: old syntax. */

/* oxlint-disable no-var */

var OPTION = '--no-concurrent-sparkplug';

/**
 * Has V8 compile its baseline code in the thread that runs it. A compiler in the background that waits for
 * the collector while the process ends waits for ever, and the process with it
 * (https://github.com/nodejs/node/issues/54918). bin/nar-scan says so to a Node that it knows, which costs nothing;
 * the other compilers it has turned off itself, which can be done at the start only.
 *
 * @public to the entry files, which do not import it
 */
export function compileInForeground(): void {
  if (process.execArgv.indexOf(OPTION) >= 0) return;
  process.getBuiltinModule('node:v8').setFlagsFromString(OPTION);
}
