/* The first code of nar-scan-post-build-hook that runs, in old syntax: see ../entry.cts. */

/* oxlint-disable no-var */

var cleanExit = require('../cleanExit.ts') as typeof import('../cleanExit.ts');
var compiledCode = require('../compiledCode.ts') as typeof import('../compiledCode.ts');
var nodeVersion = require('../nodeVersion.ts') as typeof import('../nodeVersion.ts');

if (nodeVersion.nodeFits('nar-scan-post-build-hook')) {
  cleanExit.compileInForeground();
  compiledCode.cacheCompiledCode();
  void import('./main.ts').then(function (hook) {
    return hook.main();
  });
}
