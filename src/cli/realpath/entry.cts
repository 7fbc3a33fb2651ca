/*
 * The first code of nix-realpath that runs, in old syntax: see ../entry.cts. It caches no compiled
 * code: there is too little of it.
 */

/* oxlint-disable no-var */

var cleanExit = require('../cleanExit.ts') as typeof import('../cleanExit.ts');
var nodeVersion = require('../nodeVersion.ts') as typeof import('../nodeVersion.ts');

if (nodeVersion.nodeFits('nix-realpath')) {
  cleanExit.compileInForeground();
  void import('./main.ts').then(function (realpath) {
    return realpath.main();
  });
}
