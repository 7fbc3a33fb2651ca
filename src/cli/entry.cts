/*
 * The first code that runs. It must parse on every Node that may be found on a machine, to say what
 * is wrong with it, so: old syntax, CommonJS, no import but these.
 */

/* oxlint-disable no-var */

var cleanExit = require('./cleanExit.ts') as typeof import('./cleanExit.ts');
var compiledCode = require('./compiledCode.ts') as typeof import('./compiledCode.ts');
var nodeVersion = require('./nodeVersion.ts') as typeof import('./nodeVersion.ts');

if (nodeVersion.nodeFits('nar-scan')) {
  cleanExit.compileInForeground();
  compiledCode.cacheCompiledCode();
  void import('./main.ts').then(function (main) {
    return main.main();
  });
}
